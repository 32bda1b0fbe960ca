import type { SandboxRecord } from '../connector.ts';
import type { Records } from '../records.ts';
import type { Faults, SandboxAnswer, SandboxRequest } from '../sandbox.ts';
import { batchAnswer, inputsOf, invalid } from './sandbox-objects.ts';

interface Input {
  id?: unknown;
  from?: { id?: unknown };
  to?: { id?: unknown } | { id?: unknown }[];
  types?: { associationTypeId?: unknown }[];
}
interface Pair {
  from: string;
  to: string;
}
/** A kind of association in one direction; `label` is null for the default one. */
interface LinkType {
  category: string;
  typeId: number;
  label: string | null;
}

/**
 * Which record is on which, kept once for both directions as records of type `associations`, with the id
 * `contacts/2/tasks/1` (the lesser side first) and the labels they have.
 */
export class Associations {
  readonly #records: Records;
  readonly #faults: Faults;
  /** Labels by pair of objects. */
  readonly #labels = new Map<string, string[]>();
  /** Pairs hit by `reject_item`: refused for good, also when they come again. */
  readonly #rejected = new Set<string>();

  constructor(records: Records, faults: Faults) {
    this.#records = records;
    this.#faults = faults;
  }

  /** The kinds of association between two objects. */
  types(from: string, to: string): LinkType[] {
    const labels = this.#labels.get([from, to].sort().join('/')) ?? [];
    const standard = { category: 'HUBSPOT_DEFINED', typeId: typeIds[`${from}/${to}`] ?? 1, label: null };
    // Each direction has an id of its own.
    const first = 101 + (from < to ? 0 : 1);
    return [
      standard,
      ...labels.map((label, n) => ({ category: 'USER_DEFINED', typeId: first + 2 * n, label })),
    ];
  }

  addLabel(from: string, to: string, label: string): SandboxAnswer {
    const pair = [from, to].sort().join('/');
    this.#labels.set(pair, [...(this.#labels.get(pair) ?? []), label]);
    return { status: 200, body: { results: this.types(from, to).slice(-1) } };
  }

  /** Makes default associations. Making one again changes nothing, and no label. */
  associate(from: string, to: string, body: Record<string, unknown>): SandboxAnswer {
    const [standard] = this.types(from, to);
    const associationSpec = {
      associationCategory: standard?.category,
      associationTypeId: standard?.typeId,
    };
    return this.#write(from, to, body, (pair) => {
      const held = this.#records.get('associations', idOf(from, to, pair));
      if (!held || held.fields.isGone) this.#put(from, to, pair, []);
      return [
        { from: { id: pair.to }, to: { id: pair.from }, associationSpec },
        { from: { id: pair.from }, to: { id: pair.to }, associationSpec },
      ];
    });
  }

  /** Sets the labels of associations: those that are not named are taken off. */
  associateAs(from: string, to: string, body: Record<string, unknown>): SandboxAnswer {
    const known = this.types(from, to);
    return this.#write(from, to, body, (pair, input) => {
      const wanted = (input.types ?? []).map(({ associationTypeId }) => Number(associationTypeId));
      const labels = known.flatMap(({ label, typeId }) =>
        label !== null && wanted.includes(typeId) ? [label] : [],
      );
      this.#put(from, to, pair, labels);
      // With labels HubSpot shows a pair in another form.
      return [
        { fromObjectTypeId: from, fromObjectId: Number(pair.from), toObjectId: Number(pair.to), labels },
      ];
    });
  }

  #write(
    from: string,
    to: string,
    body: Record<string, unknown>,
    make: (pair: Pair, input: Input) => object[],
  ): SandboxAnswer {
    const inputs = inputsOf<Input>(body);
    const pairs = inputs.map((input) => ({
      from: String(input.from?.id),
      to: String([input.to ?? {}].flat()[0]?.id),
    }));
    const unknown = pairs.find(
      (pair) => !this.#records.get(from, pair.from) || !this.#records.get(to, pair.to),
    );
    if (unknown) return invalid(`One or more objects do not exist: ${unknown.from}, ${unknown.to}`);
    const results: object[] = [];
    const errors: object[] = [];
    for (const [at, pair] of pairs.entries()) {
      const id = idOf(from, to, pair);
      const text = () => this.#text(from, to, pair);
      if (this.#faults.take('reject_item', text)) this.#rejected.add(id);
      if (this.#rejected.has(id))
        errors.push({
          status: 'error',
          category: 'VALIDATION_ERROR',
          message: 'The limit of associations of this record is reached',
          context: { fromObjectId: [pair.from], toObjectId: [pair.to] },
        });
      else results.push(...make(pair, inputs[at] ?? {}));
    }
    return batchAnswer(results.reverse(), errors);
  }

  /** Writes, or misbehaves as the pair's faults say; the answer looks the same. */
  #put(from: string, to: string, pair: Pair, labels: string[]): void {
    const text = () => this.#text(from, to, pair);
    if (this.#faults.take('accept_without_write', text)) return;
    const stored = this.#faults.take('alter', text) ? [] : labels;
    const forth = { side: `${from}/${pair.from}/${to}`, far: pair.to };
    const back = { side: `${to}/${pair.to}/${from}`, far: pair.from };
    this.#records.put('associations', idOf(from, to, pair), {
      source: forth.side,
      target: forth.far,
      otherSource: back.side,
      otherTarget: back.far,
      labels: stored,
      isGone: false,
    });
  }

  /** Takes off associations with their labels; those that are not there are taken without a word. */
  archive(from: string, to: string, body: Record<string, unknown>): SandboxAnswer {
    return this.#takeOff(from, to, body, () => ({ isGone: true, labels: [] }));
  }

  /** Takes labels off associations, which stay. */
  archiveLabels(from: string, to: string, body: Record<string, unknown>): SandboxAnswer {
    const known = this.types(from, to);
    return this.#takeOff(from, to, body, ({ types = [] }, held) => {
      const named = types.map(({ associationTypeId }) => Number(associationTypeId));
      const off = known.filter(({ typeId }) => named.includes(typeId)).map(({ label }) => label);
      return { labels: held.filter((label) => !off.includes(label)) };
    });
  }

  #takeOff(
    from: string,
    to: string,
    body: Record<string, unknown>,
    change: (input: Input, labels: string[]) => Record<string, unknown>,
  ): SandboxAnswer {
    for (const input of inputsOf<Input>(body)) {
      const [far] = [input.to ?? {}].flat();
      const pair = { from: String(input.from?.id), to: String(far?.id) };
      const text = () => this.#text(from, to, pair);
      if (this.#faults.take('reject_item', text))
        return invalid('This association is blocked by a rule of the account');
      const id = idOf(from, to, pair);
      const held = this.#records.get('associations', id);
      if (!held || held.fields.isGone || this.#faults.take('accept_without_write', text)) continue;
      // Somebody puts it back at the same moment.
      const isKept = this.#faults.take('alter', text);
      this.#records.put('associations', id, isKept ? {} : change(input, held.fields.labels as string[]));
    }
    return { status: 204 };
  }

  /** What a fault's `match` is looked for in: both records. */
  #text(from: string, to: string, pair: Pair): string {
    return JSON.stringify([this.#records.get(from, pair.from), this.#records.get(to, pair.to)]);
  }

  read(from: string, to: string, { body, stale }: SandboxRequest): SandboxAnswer {
    const types = this.types(from, to);
    const results: object[] = [];
    const errors: object[] = [];
    for (const input of inputsOf<Input>(body)) {
      const held = this.#on(`${from}/${input.id}/${to}`, stale);
      // HubSpot gives the ids of the far side as numbers, all others as text.
      const targets = held.map(({ target, labels }) => ({
        toObjectId: Number(target),
        associationTypes: types.filter(({ label }) => label === null || labels.includes(label)),
      }));
      if (targets.length > 0) results.push({ from: { id: String(input.id) }, to: targets });
      else {
        errors.push({
          status: 'error',
          category: 'OBJECT_NOT_FOUND',
          subCategory: 'crm.associations.NO_ASSOCIATIONS_FOUND',
          message: `No ${to} is associated with ${from} ${input.id}.`,
          context: { fromObjectId: [String(input.id)], fromObjectType: [from], toObjectType: [to] },
        });
      }
    }
    return batchAnswer(results.reverse(), errors);
  }

  #on(side: string, stale: boolean): { target: string; labels: unknown[] }[] {
    const ends = (field: string, target: string) =>
      this.#records.find('associations', field, side).flatMap((now: SandboxRecord) => {
        const link = stale ? this.#records.before('associations', now.id) : now;
        if (!link || link.fields.isGone) return [];
        const { labels } = link.fields;
        return { target: String(link.fields[target]), labels: Array.isArray(labels) ? labels : [] };
      });
    return [...ends('source', 'target'), ...ends('otherSource', 'otherTarget')];
  }
}

function idOf(from: string, to: string, pair: Pair): string {
  return [`${from}/${pair.from}`, `${to}/${pair.to}`].sort().join('/');
}

/** HubSpot's association type ids, from the enumeration in its SDK. */
const typeIds: Readonly<Record<string, number>> = {
  'tasks/contacts': 204,
  'tasks/companies': 192,
  'tasks/deals': 216,
  'tasks/tickets': 230,
  'notes/contacts': 202,
  'notes/companies': 190,
  'tickets/contacts': 16,
  'tickets/companies': 339,
  'contacts/companies': 279,
};
