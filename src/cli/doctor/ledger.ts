import { knownNames } from '../../ledger/commands.ts';
import { checkBalance } from '../../report/balance.ts';
import { type Queryable, queries } from '../../store/queries.ts';
import { type Check, passed } from './check.ts';

/** What the ledger says about itself: stopped connections, pauses, and whether it adds up. */
export async function ledgerChecks(ledger: Queryable): Promise<Check[]> {
  return [...(await connectionStates(ledger)), ...(await pauses(ledger)), ...(await balance(ledger))];
}

interface State {
  name: string;
  breaker: string;
  last_error: string | null;
  retry_in_ms: number | string | null;
}

/** Connections that workers have stopped calling. */
async function connectionStates(ledger: Queryable): Promise<Check[]> {
  const states = await queries('connections').run<State>(ledger, 'connection_states');
  return states
    .filter((state) => state.breaker !== 'closed')
    .map((state) => ({
      check: `breaker of ${state.name}`,
      ok: false,
      detail: state.last_error ?? 'open',
      hint: `workers try it again in ${Math.ceil(Number(state.retry_in_ms ?? 0) / 1000)} s; nothing that waits is lost`,
    }));
}

/** Pauses are meant, but easily forgotten. */
async function pauses(ledger: Queryable): Promise<Check[]> {
  const names = await knownNames(ledger);
  return names
    .filter((one) => one.paused)
    .map(({ kind, name, paused_reason }) => ({
      check: `${kind} ${name}`,
      ok: true,
      detail: `paused: ${paused_reason}`,
      hint: `readback resume ${name}`,
    }));
}

async function balance(ledger: Queryable): Promise<Check[]> {
  const findings = await checkBalance(ledger);
  if (findings.length === 0) return [passed('balance', 'everything detected is accounted for')];
  const hint = 'the ledger lost or gained rows; please report it with what happened before';
  return findings.map(({ message }) => ({ check: 'balance', ok: false, detail: message, hint }));
}
