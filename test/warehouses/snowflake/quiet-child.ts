// One query and one login that fails, in a process and a folder of its own. Run by quiet.test.ts.
import { Socket } from 'node:net';
import { Secret } from '../../../src/config/secret.ts';
import { warehouse } from '../../../src/warehouses/snowflake/index.ts';
import { rows } from './rows.ts';

const hosts = new Set<string>();
const { connect } = Socket.prototype;
Socket.prototype.connect = function (this: Socket, ...parts: unknown[]) {
  const [options] = parts.flat();
  const host = typeof options === 'object' && options !== null ? Reflect.get(options, 'host') : undefined;
  hosts.add(String(host ?? options));
  return Reflect.apply(connect, this, parts);
};

const [url = ''] = process.argv.slice(2);
const open = (password: string) =>
  warehouse.open(
    warehouse.schema.parse({
      account: 'myorg-account',
      user: 'READBACK',
      url,
      password: new Secret(password),
    }),
  );
const one = await open('correct horse');
const found = await rows(one, 'select 1');
const other = await open('wrong');
const refused = await other.check({ timeoutMs: 10_000 }).catch((error) => error.code);
await Promise.all([one.close(), other.close()]);
console.log(JSON.stringify({ rows: found, refused, hosts: [...hosts] }));
