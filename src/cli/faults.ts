import { closest } from '../config/suggest.ts';
import { type Fault, type FaultKind, faultKinds } from '../connectors/connector.ts';
import { ReadbackError } from '../errors.ts';

/** A fault for one sandbox, or for all that were started. */
export interface WantedFault {
  connector: string | undefined;
  fault: Fault;
}

/** `[connector=]kind[:times]`. @throws ReadbackError USAGE */
export function parseFault(text: string): WantedFault {
  const [, connector, kind = '', times] = /^(?:([^=:]+)=)?([^=:]*)(?::(\d+))?$/.exec(text) ?? [];
  const known = faultKinds.find((one): one is FaultKind => one === kind);
  if (known) {
    return { connector, fault: { kind: known, ...(times === undefined ? {} : { times: Number(times) }) } };
  }
  const guess = closest(kind, faultKinds);
  throw new ReadbackError('USAGE', '--fault names no fault', {
    value: text,
    hint: guess ? `did you mean ${guess}?` : `use [connector=]kind[:times]; kinds: ${faultKinds.join(', ')}`,
  });
}
