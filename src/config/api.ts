import { z } from 'zod';
import type { ReadbackError } from '../errors.ts';
import { originIn } from './check.ts';
import type { Located } from './located.ts';
import type { ApiConfig } from './model.ts';
import { secret } from './references.ts';
import type { Sources } from './secrets.ts';
import { checkSettings } from './settings.ts';

const addressPattern = /^(\d{1,3}(?:\.\d{1,3}){3}|\[[0-9a-fA-F:]+\]|localhost):(\d{1,5})$/;
const addressHint = 'write an address and a port, such as 127.0.0.1:7333';

/** `api:` of `readback.yml`. */
export const apiSchema = z
  .strictObject({
    listen: z
      .string()
      .regex(addressPattern, addressHint)
      .refine((address) => Number(address.split(':').at(-1)) <= 65_535, 'a port is at most 65535')
      .default('127.0.0.1:7333')
      .describe('Address and port, of this machine alone if absent: 127.0.0.1:7333.'),
    token: secret().describe('What callers send as `Authorization: Bearer …`.'),
  })
  .describe('Where `readback start` takes pokes and tells metrics over HTTP. Without it nothing listens.');

/** Undefined when it is not written, or, with problems, when it is wrong. */
export async function readApi(
  located: Located,
  sources: Sources,
  problems: ReadbackError[],
): Promise<ApiConfig | undefined> {
  const { api } = located.value as { api?: Record<string, unknown> };
  if (typeof api !== 'object' || api === null) return undefined;
  const checked = await checkSettings(
    apiSchema,
    { origin: originIn(located, ['api']) },
    api,
    sources,
    problems,
  );
  if (!checked) return undefined;
  const [, host = '', port = ''] = addressPattern.exec(checked.listen) ?? [];
  return { host: host.replace(/^\[|\]$/g, ''), port: Number(port), token: checked.token };
}
