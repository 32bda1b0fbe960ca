import type { IncomingMessage, ServerResponse } from 'node:http';
import { readConfig } from './config.ts';
import { Desk } from './desk.ts';
import { listen, readText, type Served, serveDesk } from './serve.ts';
import { Truth } from './truth.ts';

// The destinations of a drill, in a process of their own: node --import tsx test/chaos/standins/main.ts <config.json>

const config = readConfig(process.argv[2] ?? '');
const truth = new Truth(config.truth);
const desks = new Map<string, { desk: Desk; served: Served }>();
for (const each of config.desks) {
  const desk = new Desk(config.seed, truth, each);
  desks.set(each.name, { desk, served: await serveDesk(desk, each.port) });
}
const control = await listen(config.control ?? 0, handle);
const ports = Object.fromEntries([...desks].map(([name, { served }]) => [name, served.port]));
console.log(JSON.stringify({ ready: true, control: control.port, desks: ports }));

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => {
    truth.close();
    process.exit(0);
  });
}

async function handle(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
  const text = await readText(incoming);
  const [status, body] = answerControl(`${incoming.method} ${incoming.url}`, text);
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}

function answerControl(asked: string, text: string): [number, unknown] {
  const [, name = '', rest] = /^\w+ \/desks\/([^/]+)(\/records)?$/.exec(asked) ?? [];
  const chosen = desks.get(decodeURIComponent(name));
  if (asked === 'GET /stats')
    return [200, Object.fromEntries([...desks].map(([each, { desk }]) => [each, desk.stats]))];
  if (asked === 'POST /flush') {
    for (const { desk } of desks.values()) desk.flush();
    truth.flush();
    return [200, {}];
  }
  if (chosen && rest && asked.startsWith('GET ')) return [200, chosen.desk.records()];
  if (chosen && !rest && asked.startsWith('PATCH ')) return change(chosen, text);
  return [404, { error: `nothing answers ${asked}` }];
}

function change({ desk, served }: { desk: Desk; served: Served }, text: string): [number, unknown] {
  try {
    const settings = JSON.parse(text) as object;
    desk.change(settings);
  } catch (error) {
    return [400, { error: (error as Error).message }];
  }
  if (desk.dead) served.cut();
  return [200, {}];
}
