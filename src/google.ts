import type { AnyAuthClient, JWT } from 'google-auth-library';
import { z } from 'zod';
import type { Secret } from './config/secret.ts';
import { ReadbackError } from './errors.ts';

/** What is needed to ask for another account's token. */
const platformScope = 'https://www.googleapis.com/auth/cloud-platform';

const serviceAccountKey = z.object({
  type: z.literal('service_account'),
  client_email: z.string(),
  private_key: z.string(),
  private_key_id: z.string().optional(),
});

/** Who asks: a service account by its key, or whoever this machine is; and as whom, when it is to act as another. */
export interface Identity {
  credentials?: Secret | undefined;
  impersonate?: string | undefined;
  /** Where tokens of other accounts are made, for tests; Google's if absent. */
  iamEndpoint?: string;
}

/** Who cannot be reached without credentials. */
type Code = 'WAREHOUSE_UNREACHABLE' | 'DESTINATION_UNREACHABLE';

/**
 * The credentials that every request carries. Given to the SDK as they are: left to itself it sends requests without any
 * when it finds none.
 *
 * @param scope what for
 * @throws ReadbackError with the code when the key is none; the library's own error when there are no credentials
 */
export async function authClientFor(identity: Identity, scope: string, code: Code): Promise<AnyAuthClient> {
  const { impersonate, credentials, iamEndpoint } = identity;
  const { GoogleAuth, Impersonated, JWT } = await import('google-auth-library');
  const scopes = [impersonate === undefined ? scope : platformScope];
  let client: AnyAuthClient;
  if (credentials) {
    const {
      client_email: email,
      private_key: key,
      private_key_id: keyId,
    } = keyOf(credentials.reveal(), code);
    client = selfSigned(new JWT({ email, key, scopes, ...(keyId && { keyId }) }));
  } else {
    client = await new GoogleAuth({ scopes }).getClient().catch((error) => neverQuoted(error, code));
    if (client instanceof JWT) selfSigned(client);
  }
  if (impersonate === undefined) return client;
  return new Impersonated({
    sourceClient: client,
    targetPrincipal: impersonate,
    targetScopes: [scope],
    ...(iamEndpoint && { endpoint: iamEndpoint }),
  });
}

/** The key signs the token itself, as Google recommends (https://google.aip.dev/auth/4111): one request and one failure fewer. */
function selfSigned(client: JWT): JWT {
  client.useJWTAccessWithScope = true;
  return client;
}

/** What the library says of a file that is not JSON quotes the file. */
function neverQuoted(error: unknown, code: Code): never {
  if (!/JSON/.test(String(error))) throw error;
  throw new ReadbackError(code, 'the application default credentials are not JSON', {
    hint: 'check the file in GOOGLE_APPLICATION_CREDENTIALS, or run `gcloud auth application-default login`',
  });
}

/** Never with the parser's own error: it quotes the key. */
function keyOf(text: string, code: Code): z.infer<typeof serviceAccountKey> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = undefined;
  }
  const key = serviceAccountKey.safeParse(value);
  if (key.success) return key.data;
  throw new ReadbackError(code, '`credentials` is not the JSON key of a service account', {
    hint: 'write file:PATH of a key made by `gcloud iam service-accounts keys create`, or leave `credentials` out',
  });
}
