import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readConfig } from './config.ts';
import { Route } from './route.ts';

// The network of a drill, in a process of its own: node --import tsx test/chaos/proxy/main.ts <config.json>

const config = readConfig(process.argv[2] ?? '');
const routes = new Map<string, Route>();
for (const each of config.routes) routes.set(each.name, await Route.open(config.seed, each));

const control = createServer(async (incoming, response) => {
  let text = '';
  for await (const chunk of incoming) text += chunk;
  const [status, body] = answer(`${incoming.method} ${incoming.url}`, text);
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
});
control.listen(config.control ?? 0, '127.0.0.1', () => {
  const ports = Object.fromEntries([...routes].map(([name, { port }]) => [name, port]));
  const { port } = control.address() as AddressInfo;
  console.log(JSON.stringify({ ready: true, control: port, routes: ports }));
});

function answer(asked: string, text: string): [number, unknown] {
  if (asked === 'GET /stats')
    return [200, Object.fromEntries([...routes].map(([name, { stats }]) => [name, stats]))];
  const [, name = ''] = /^PATCH \/routes\/([^/]+)$/.exec(asked) ?? [];
  const route = routes.get(decodeURIComponent(name));
  if (!route) return [404, { error: `nothing answers ${asked}` }];
  try {
    route.change(JSON.parse(text));
    return [200, {}];
  } catch (error) {
    return [400, { error: (error as Error).message }];
  }
}
