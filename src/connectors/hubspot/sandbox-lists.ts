import type { Records } from '../records.ts';
import type { Faults, SandboxAnswer, SandboxRequest } from '../sandbox.ts';
import { batchAnswer, inputsOf, invalid, notFoundAnswer } from './sandbox-objects.ts';
import { objectTypeIds } from './sandbox-properties.ts';

interface List {
  listId: string;
  name: string;
  objectTypeId: string;
  processingType: string;
}

/** Lists in memory; who is or was in them is kept as records of type `memberships` with the id `list/record`. */
export class Lists {
  readonly #records: Records;
  readonly #faults: Faults;
  readonly #lists: List[] = [];

  constructor(records: Records, faults: Faults) {
    this.#records = records;
    this.#faults = faults;
    this.#make({ name: 'Churn risk' });
  }

  /** @param path what comes after `/crm/v3/lists/` */
  answer(path: string[], request: SandboxRequest): SandboxAnswer {
    const { method, body } = request;
    const [first = '', second, third, ...rest] = path;
    if (path.join('/') === 'records/memberships/batch/read') return this.#memberships(request);
    if (method === 'POST' && first === '') return { status: 200, body: { list: this.#make(body) } };
    const list =
      first === 'object-type-id'
        ? this.#lists.find((one) => one.objectTypeId === second && one.name === rest.join('/'))
        : this.#lists.find(({ listId }) => listId === first);
    if (!list) return notFoundAnswer();
    if (method === 'GET') return { status: 200, body: { list } };
    if (method !== 'PUT' || second !== 'memberships' || (third !== 'add' && third !== 'remove'))
      return notFoundAnswer();
    if (list.processingType === 'DYNAMIC')
      return invalid('Memberships of a list with processing type DYNAMIC cannot be changed');
    // The body is a bare list of record ids.
    return this.#change(list, third === 'add', Object.values(body).map(String));
  }

  #make({ name, objectTypeId, processingType }: Record<string, unknown>): List {
    const list = {
      listId: String(this.#lists.length + 1),
      name: String(name),
      objectTypeId: String(objectTypeId ?? '0-1'),
      processingType: String(processingType ?? 'MANUAL'),
    };
    this.#lists.push(list);
    return list;
  }

  /** Records that do not exist are told; those that are in the list already, or are not in it, are left out. */
  #change({ listId, objectTypeId }: List, isMember: boolean, ids: string[]): SandboxAnswer {
    const type = Object.keys(objectTypeIds).find((name) => objectTypeIds[name] === objectTypeId) ?? '';
    const changed: string[] = [];
    const missing: string[] = [];
    for (const id of ids) {
      const record = this.#records.get(type, id);
      const text = () => JSON.stringify(record);
      const membership = `${listId}/${id}`;
      const was = this.#records.get('memberships', membership)?.fields.isMember === true;
      if (!record || this.#faults.take('reject_item', text)) missing.push(id);
      else if (was !== isMember) {
        changed.push(id);
        if (this.#faults.take('accept_without_write', text)) continue;
        // Somebody gives the record another name at the same moment.
        if (this.#faults.take('alter', text)) this.#records.put(type, id, { email: 'other@altered.example' });
        this.#records.put('memberships', membership, { listId, record: `${type}/${id}`, isMember });
      }
    }
    return {
      status: 200,
      body: {
        recordsIdsAdded: isMember ? changed : [],
        recordIdsRemoved: isMember ? [] : changed,
        recordIdsMissing: missing,
      },
    };
  }

  #memberships({ body, stale }: SandboxRequest): SandboxAnswer {
    const inputs = inputsOf<{ objectTypeId?: string; recordId?: string }>(body);
    const results = inputs.map(({ objectTypeId, recordId }) => {
      const recordListMemberships = this.#lists.flatMap(({ listId, objectTypeId: type }) => {
        const id = `${listId}/${recordId}`;
        const held = stale ? this.#records.before('memberships', id) : this.#records.get('memberships', id);
        return type === objectTypeId && held?.fields.isMember === true ? [{ listId, listVersion: 1 }] : [];
      });
      return { objectTypeId, recordId, recordListMemberships };
    });
    return batchAnswer(results.reverse(), []);
  }
}
