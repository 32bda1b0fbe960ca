import type { Outcome } from '../connector.ts';
import { rejected } from '../outcomes.ts';
import { asId } from './answer.ts';
import { address, type Binding } from './binding.ts';
import type { ApiRequest } from './client.ts';
import type { Definition } from './grammar.ts';
import type { IdOf } from './outcome.ts';
import { at } from './pointer.ts';
import { fillText, Unaddressable } from './template.ts';

/** The request that writes; a refusal where a value cannot stand in its path. */
export function requestOf(definition: Definition, binding: Binding, body: unknown): ApiRequest | Outcome {
  const { method } = definition.write;
  // A reset of a reused connection would leave open whether an order was taken; only this class cannot afford that.
  const fresh = definition.idempotency === 'none';
  try {
    return { method, ...address(definition.write, binding), body, fresh };
  } catch (error) {
    if (!(error instanceof Unaddressable)) throw error;
    return rejected('path', error.message);
  }
}

/** How the id is read: from the answer, or made of the item's own values. */
export function idReader({ write }: Definition, { text }: Binding): IdOf {
  return (json) => asId(write.id.startsWith('/') ? at(json, write.id) : fillText(write.id, text));
}
