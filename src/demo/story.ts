import { type Queryable, queries } from '../store/queries.ts';

const sql = queries('demo');

interface Detour {
  destination: string;
  trouble: string;
  state: string;
  actions: number;
  decision: string;
  example: string;
  reason: string | null;
}

/** One line for each kind of trouble the ledger recorded: what happened, what was decided, and how it ended. */
export async function tellDetours(ledger: Queryable, print: (line: string) => void): Promise<void> {
  for (const detour of await sql.run<Detour>(ledger, 'detours')) {
    const many =
      detour.actions === 1 ? detour.example : `${detour.actions} actions, ${detour.example} among them`;
    print(
      `  ${detour.destination} (${many}): ${detour.reason ?? detour.trouble} → ${detour.decision} → ${detour.state}`,
    );
  }
}
