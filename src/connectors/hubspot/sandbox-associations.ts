import type { Records } from '../records.ts';
import type { SandboxAnswer, SandboxRequest } from '../sandbox.ts';
import { batchAnswer, invalid } from './sandbox-objects.ts';

interface Input {
  id?: unknown;
  from?: { id?: unknown };
  to?: { id?: unknown };
}

/** Which record is on which, kept as records of type `associations` with the id `tasks/1/contacts/2`. */
export class Associations {
  readonly #records: Records;

  constructor(records: Records) {
    this.#records = records;
  }

  /** Makes default associations. Making one again changes nothing. */
  associate(from: string, to: string, body: Record<string, unknown>): SandboxAnswer {
    const inputs = (Array.isArray(body.inputs) ? body.inputs : []) as Input[];
    const pairs = inputs.map((input) => ({ from: String(input.from?.id), to: String(input.to?.id) }));
    const unknown = pairs.find(
      (pair) => !this.#records.get(from, pair.from) || !this.#records.get(to, pair.to),
    );
    if (unknown) return invalid(`One or more objects do not exist: ${unknown.from}, ${unknown.to}`);
    const results = pairs.flatMap((pair) => {
      const id = `${from}/${pair.from}/${to}/${pair.to}`;
      const source = `${from}/${pair.from}/${to}`;
      if (!this.#records.get('associations', id))
        this.#records.put('associations', id, { source, target: pair.to });
      const associationSpec = {
        associationCategory: 'HUBSPOT_DEFINED',
        associationTypeId: typeIdOf(from, to),
      };
      return [
        { from: { id: pair.to }, to: { id: pair.from }, associationSpec },
        { from: { id: pair.from }, to: { id: pair.to }, associationSpec },
      ];
    });
    return batchAnswer(results.reverse(), []);
  }

  read(from: string, to: string, { body, stale }: SandboxRequest): SandboxAnswer {
    const inputs = (Array.isArray(body.inputs) ? body.inputs : []) as Input[];
    const results: object[] = [];
    const errors: object[] = [];
    for (const input of inputs) {
      const found = stale ? [] : this.#records.find('associations', 'source', `${from}/${input.id}/${to}`);
      const associationTypes = [{ category: 'HUBSPOT_DEFINED', typeId: typeIdOf(from, to), label: null }];
      // HubSpot gives the ids of the far side as numbers, all others as text.
      const targets = found.map((link) => ({ toObjectId: Number(link.fields.target), associationTypes }));
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
}

/** HubSpot's association type ids, from the enumeration in its SDK. */
const typeIds: Readonly<Record<string, number>> = {
  'tasks/contacts': 204,
  'tasks/companies': 192,
  'contacts/companies': 279,
};

function typeIdOf(from: string, to: string): number {
  return typeIds[`${from}/${to}`] ?? 0;
}
