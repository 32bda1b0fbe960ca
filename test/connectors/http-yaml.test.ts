import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load } from '../config/written-project.ts';

const yaml = `project: acme
warehouses:
  analytics: { type: duckdb, path: ./warehouse.duckdb }
connections:
  erp:
    connector: http
    base_url: https://erp.example/api
    bearer_token: env:ERP_TOKEN
    headers: { x-company: acme }
    actions:
      order:
        idempotency: keyed
        fields:
          reference: /reference
          quantity: { type: number, read: /quantity }
          note: { read: /note, required: false }
        write:
          path: /orders
          headers: { Idempotency-Key: "{idempotency_key}" }
          body: { reference: "{reference}", quantity: "{quantity}", note: "{note}" }
          id: /id
        read:
          by_id: { path: "/orders/{id}" }
          find: { path: /orders, query: { reference: "{reference}" }, items: /orders, id: /id }
`;
const destination = `connection: erp
action: order
signals: [churn_risk]
fields:
  reference: "{{ customer_id }}"
  quantity: "1"
`;
const env = { ERP_TOKEN: 'erp-secret-4711' };

/** Loads a project with the connection above, some text of it replaced, and answers the first line of each problem. */
async function problemsOf(before: string, after: string, file: string = 'readback.yml'): Promise<string[]> {
  const sound = { 'readback.yml': yaml, 'destinations/order.yaml': destination };
  const text = sound[file as keyof typeof sound];
  assert.ok(text.includes(before), `${file} does not hold ${before}`);
  const files = {
    ...sound,
    'destinations/retention_task.yaml': destination.replace('action:', 'description: the same\naction:'),
    [file]: text.replace(before, () => after),
  };
  const { problems } = await load({ files, env });
  return problems.map((problem) => problem.format());
}

test('the connection of these tests has no problems', async () => {
  assert.deepEqual(await problemsOf('', ''), []);
});

/** The rule, what is replaced by what, and the first line of the first problem. */
const cases: readonly [string, string, string, string][] = [
  [
    'actions are there',
    / {4}actions:[\s\S]*/.exec(yaml)?.[0] ?? '',
    '',
    '6:5 CONFIG_KEY: `actions` is missing',
  ],
  [
    'base_url is an address',
    'https://erp.example/api',
    'erp.example',
    '7:15 CONFIG_VALUE: `base_url`: must be an address such as https://erp.example/api',
  ],
  [
    'base_url has no user',
    'https://erp.example/api',
    'https://me:pw@erp.example',
    '7:15 CONFIG_VALUE: `base_url`: an address of its own: no user, ? or #',
  ],
  [
    'secret in the open',
    'env:ERP_TOKEN',
    'erp-secret-4711',
    '8:19 SECRET_REFERENCE: `bearer_token`: a secret must be a reference: write env:NAME or file:PATH, never the secret itself',
  ],
  [
    'header key in the open',
    '{ x-company: acme }',
    '{ x-api-key: erp-secret-4711 }',
    '9:27 CONFIG_VALUE: `headers.x-api-key`: is for a secret, which must be a reference',
  ],
  [
    'one credential',
    '{ x-company: acme }',
    '{ authorization: env:ERP_TOKEN }',
    '9:31 CONFIG_VALUE: `headers.authorization`: excludes bearer_token',
  ],
  [
    'password with username',
    'bearer_token: env:ERP_TOKEN',
    'password: env:ERP_TOKEN',
    '6:5 CONFIG_KEY: `username` is missing',
  ],
  [
    'host header',
    '{ x-company: acme }',
    '{ host: other }',
    '9:22 CONFIG_VALUE: `headers.host`: is not for you to set',
  ],
  ['setting is known', 'headers: { x-company', 'header: { x-company', '9:5 CONFIG_KEY: unknown key `header`'],
  [
    'class exists',
    'idempotency: keyed',
    'idempotency: keyd',
    '12:22 CONFIG_VALUE: `actions.order.idempotency`: must be keyed, upsert, marker or none',
  ],
  [
    'action name',
    '      order:',
    '      Order-Now:',
    '11:7 CONFIG_KEY: `actions.Order-Now` is not a key: an action has lower case, digits and _',
  ],
  [
    'field name',
    '          note:',
    '          no-te:',
    '16:11 CONFIG_KEY: `actions.order.fields.no-te` is not a key: a field has lower case, digits and _',
  ],
  [
    'reserved',
    '          note: { read',
    '          id: { read',
    '16:15 CONFIG_VALUE: `actions.order.fields.id`: is a name with a meaning of its own',
  ],
  [
    'read missing',
    '{ type: number, read: /quantity }',
    '{ type: number }',
    '15:21 CONFIG_KEY: `actions.order.fields.quantity.read` is missing',
  ],
  [
    'read pointer',
    'reference: /reference',
    'reference: reference',
    '14:22 CONFIG_VALUE: `actions.order.fields.reference`: must be a JSON pointer such as /note, or never',
  ],
  [
    'type exists',
    'type: number',
    'type: decimal',
    '15:29 CONFIG_VALUE: `actions.order.fields.quantity.type`: must be text, any_case, number, boolean, date or timestamp',
  ],
  [
    'field unused',
    ', note: "{note}"',
    '',
    '16:17 CONFIG_VALUE: `actions.order.fields.note`: is not used by any request',
  ],
  [
    'unknown placeholder in body',
    '"{quantity}"',
    '"{quantty}"',
    '20:55 CONFIG_VALUE: `actions.order.write.body.quantity`: there is no {quantty} here',
  ],
  [
    'unknown placeholder in path',
    'path: /orders\n          headers',
    'path: /orders/{refrence}\n          headers',
    '18:17 CONFIG_VALUE: `actions.order.write.path`: there is no {refrence} here',
  ],
  [
    'liquid in body',
    '"{quantity}"',
    '"{{ quantity }}"',
    '20:55 CONFIG_VALUE: `actions.order.write.body.quantity`: templates with {{ }} belong to the destination',
  ],
  [
    'loose brace in path',
    '"/orders/{id}"',
    '"/orders/{id"',
    '23:26 CONFIG_VALUE: `actions.order.read.by_id.path`: braces stand around the name of a field, and nowhere else',
  ],
  [
    'path begins with /',
    'path: /orders\n          headers',
    'path: orders\n          headers',
    '18:17 CONFIG_VALUE: `actions.order.write.path`: a path begins with / and has no ?, # or blanks; parameters go under query',
  ],
  [
    'path no query',
    'path: /orders\n          headers',
    'path: /orders?x=1\n          headers',
    '18:17 CONFIG_VALUE: `actions.order.write.path`: a path begins with / and has no ?, # or blanks; parameters go under query',
  ],
  [
    'path no dots',
    'path: /orders\n          headers',
    'path: /orders/../admin\n          headers',
    '18:17 CONFIG_VALUE: `actions.order.write.path`: a path has no empty part, `.` or `..`',
  ],
  [
    'optional alone',
    '"{note}"',
    '"Note: {note}"',
    '20:75 CONFIG_VALUE: `actions.order.write.body.note`: {note} is optional, so it must be the whole value of a key',
  ],
  [
    'optional in find',
    'query: { reference: "{reference}" }',
    'query: { reference: "{note}" }',
    '24:54 CONFIG_VALUE: `actions.order.read.find.query.reference`: {note} is needed to read back, so it cannot be optional',
  ],
  [
    'keyed needs key',
    '          headers: { Idempotency-Key: "{idempotency_key}" }\n',
    '',
    '12:22 CONFIG_VALUE: `actions.order.idempotency`: keyed needs {idempotency_key} in the write',
  ],
  [
    'keyed needs find',
    / {10}find:.*\n/.exec(yaml)?.[0] ?? '',
    '',
    '12:22 CONFIG_VALUE: `actions.order.idempotency`: keyed needs read.find',
  ],
  [
    'key needs keyed',
    'idempotency: keyed',
    'idempotency: upsert',
    '12:22 CONFIG_VALUE: `actions.order.idempotency`: upsert does not go with {idempotency_key}',
  ],
  [
    'marker needs key',
    'idempotency: keyed',
    'idempotency: marker',
    '12:22 CONFIG_VALUE: `actions.order.idempotency`: marker does not go with {idempotency_key}',
  ],
  [
    'method',
    '          path: /orders\n          headers',
    '          method: GET\n          path: /orders\n          headers',
    '18:19 CONFIG_VALUE: `actions.order.write.method`: must be POST, PUT or PATCH',
  ],
  ['id is missing', '          id: /id\n', '', '18:11 CONFIG_KEY: `actions.order.write.id` is missing'],
  [
    'by_id asks for id',
    '"/orders/{id}"',
    '/orders',
    '23:26 CONFIG_VALUE: `actions.order.read.by_id.path`: does not say which record',
  ],
  [
    'find asks for something',
    'query: { reference: "{reference}" }, ',
    '',
    '24:17 CONFIG_VALUE: `actions.order.read.find`: does not say which record',
  ],
  [
    'find by unreadable',
    'reference: /reference',
    'reference: never',
    '14:22 CONFIG_VALUE: `actions.order.fields.reference`: finds the record, so it must be readable',
  ],
  [
    'match known',
    'id: /id }',
    'id: /id, match: [nte] }',
    '24:104 CONFIG_VALUE: `actions.order.read.find.match.0`: there is no field nte',
  ],
  [
    'action_key needs key',
    '{ reference: "{reference}" }, items',
    '{ trace: "{action_key}" }, items',
    '24:17 CONFIG_VALUE: `actions.order.read.find`: asks for {action_key}, so `key` must say where a record keeps it',
  ],
  [
    'get body',
    'by_id: { path: "/orders/{id}"',
    'by_id: { path: "/orders/{id}", body: { a: 1 }',
    '23:48 CONFIG_VALUE: `actions.order.read.by_id.body`: a GET has no body',
  ],
  [
    'absent 200',
    'by_id: { path: "/orders/{id}"',
    'by_id: { path: "/orders/{id}", absent: { status: 200 }',
    '23:50 CONFIG_VALUE: `actions.order.read.by_id.absent`: only 404 and 410 mean absent by themselves',
  ],
  [
    'success status',
    '          id: /id\n',
    '          id: /id\n          success: { status: 404 }\n',
    '22:30 CONFIG_VALUE: `actions.order.write.success.status`: must be from 200 to 299',
  ],
  [
    'success where',
    '          id: /id\n',
    '          id: /id\n          success: { where: { ok: true } }\n',
    '22:31 CONFIG_KEY: `actions.order.write.success.where.ok` is not a key: a JSON pointer is empty or begins with /, as /data/id',
  ],
  [
    'transient and refused',
    '          id: /id\n',
    '          id: /id\n          refused: { status: 409 }\n          transient: { status: [503, 409] }\n',
    '23:22 CONFIG_VALUE: `actions.order.write.transient`: 409 cannot be refused and transient',
  ],
  [
    '401 is no refusal of the item',
    '          id: /id\n',
    '          id: /id\n          refused: { status: 401 }\n',
    '22:20 CONFIG_VALUE: `actions.order.write.refused`: 401 says nothing about the item',
  ],
  [
    '200 alone is no refusal',
    '          id: /id\n',
    '          id: /id\n          refused: { status: [200] }\n',
    '22:20 CONFIG_VALUE: `actions.order.write.refused`: 200 alone is no refusal',
  ],
  [
    'a rule has something in it',
    '          id: /id\n',
    '          id: /id\n          transient: {}\n',
    '22:22 CONFIG_VALUE: `actions.order.write.transient`: needs status or where',
  ],
  [
    'an id is not the same for all',
    '          id: /id\n',
    '          id: id\n',
    '21:15 CONFIG_VALUE: `actions.order.write.id`: is the same for every record',
  ],
  [
    'metadata addresses',
    'https://erp.example/api',
    'http://169.254.169.254/latest',
    '7:15 CONFIG_VALUE: `base_url`: is a link-local or metadata address',
  ],
  [
    'credentials in action',
    'headers: { Idempotency-Key: "{idempotency_key}" }',
    'headers: { Idempotency-Key: "{idempotency_key}", Authorization: Basic x }',
    '19:75 CONFIG_VALUE: `actions.order.write.headers.Authorization`: is for credentials, which belong to the connection',
  ],
  [
    'field in header',
    'headers: { Idempotency-Key: "{idempotency_key}" }',
    'headers: { Idempotency-Key: "{idempotency_key}", X-Ref: "{reference}" }',
    '19:67 CONFIG_VALUE: `actions.order.write.headers.X-Ref`: there is no {reference} here',
  ],
  [
    'secret in body',
    'note: "{note}" }',
    'note: "{note}", key: env:ERP_TOKEN }',
    '20:90 CONFIG_VALUE: `actions.order.write.body.key`: is a secret',
  ],
  [
    'batch items',
    '          id: /id\n',
    '          id: /id\n          batch: { max: 10, body: { orders: [] }, match: { /reference: "{reference}" } }\n',
    '19:39 CONFIG_VALUE: `actions.order.write.headers.Idempotency-Key`: there is no {idempotency_key} here',
  ],
  [
    'batch match',
    '          id: /id\n',
    '          id: /id\n          batch: { max: 10 }\n',
    '22:18 CONFIG_KEY: `actions.order.write.batch.match` is missing',
  ],
  [
    'batch keyed',
    '          id: /id\n',
    '          id: /id\n          batch: { max: 10, match: { /reference: "{reference}" } }\n',
    '19:39 CONFIG_VALUE: `actions.order.write.headers.Idempotency-Key`: there is no {idempotency_key} here',
  ],
  [
    'lag',
    '        fields:\n',
    '        lag: soon\n        fields:\n',
    '13:14 CONFIG_VALUE: `actions.order.lag`: not a duration',
  ],
  [
    'no read',
    / {8}read:[\s\S]*/.exec(yaml)?.[0] ?? '',
    '        read: {}\n',
    '12:22 CONFIG_VALUE: `actions.order.idempotency`: keyed needs read.find',
  ],
];

for (const [rule, before, after, problem] of cases)
  test(`says where and why: ${rule}`, async () => {
    const [found = 'no problem'] = await problemsOf(before, after);
    assert.equal(found.split('\n')[0], `readback.yml:${problem}`);
  });

const note = `      cancel:
        fields: { why: /why, by: { read: /by, required: false } }
        write: { path: "/orders/{parent_id}/cancel", body: { why: "{why}", by: "{by}" }, id: /id }
        read: { by_id: { path: "/orders/{id}" } }
`;
/** What is said about undoing, and about what undoes. */
const undoCases: readonly [string, string, string, string][] = [
  [
    'it exists',
    'action: cancl, fields: { why: x }',
    note,
    '25:25 CONFIG_VALUE: `actions.order.undo.action`: there is no action cancl',
  ],
  [
    'it works on a record',
    'action: order, fields: { reference: x, quantity: 1 }',
    note,
    '25:25 CONFIG_VALUE: `actions.order.undo.action`: order does not say which record',
  ],
  [
    'its fields exist',
    'action: cancel, fields: { why: x, how: y }',
    note,
    '25:56 CONFIG_VALUE: `actions.order.undo.fields.how`: cancel has no such field',
  ],
  [
    'its fields are no templates',
    'action: cancel, fields: { why: "{{ name }}" }',
    note,
    '25:48 CONFIG_VALUE: `actions.order.undo.fields.why`: is sent as it stands',
  ],
  [
    'it has what it needs',
    'action: cancel, fields: { by: x }',
    note,
    '25:41 CONFIG_VALUE: `actions.order.undo.fields`: cancel needs why',
  ],
];

for (const [rule, undo, more, problem] of undoCases)
  test(`says where and why about undo: ${rule}`, async () => {
    const text = `      find: { path: /orders, query: { reference: "{reference}" }, items: /orders, id: /id }\n`;
    const [found = 'no problem'] = await problemsOf(text, `${text}        undo: { ${undo} }\n${more}`);
    assert.equal(found.split('\n')[0], `readback.yml:${problem}`);
  });

test('an action that another undoes is sound, with a link to its record', async () => {
  const text = `      find: { path: /orders, query: { reference: "{reference}" }, items: /orders, id: /id }\n`;
  const sound =
    '        undo: { action: cancel, fields: { why: late } }\n        link: https://erp.example/o/{id}\n';
  assert.deepEqual(await problemsOf(text, `${text}${sound}${note}`), []);
  const [found = 'no problem'] = await problemsOf(text, `${text}        link: https://erp.example/o\n`);
  assert.match(found, /must be an address with \{id\}/);
});

/** What a destination can do wrong is what it can with any connector, and is found by the description. */
const destinationCases: readonly [string, string, string, string][] = [
  ['action exists', 'action: order', 'action: oder', '2:9 CONFIG_REFERENCE: http has no action `oder`'],
  ['field exists', 'quantity: "1"', 'quantty: "1"', '6:3 CONFIG_KEY: unknown key `quantty`'],
  ['field is required', '  quantity: "1"\n', '', '5:3 CONFIG_KEY: `quantity` is missing'],
  [
    'a value written out has its type',
    'quantity: "1"',
    'quantity: one',
    '6:13 CONFIG_VALUE: `quantity`: must be a number of at most 15 digits (got: one)',
  ],
  [
    'there are no options',
    'fields:',
    'options: { fast: true }\nfields:',
    '4:12 CONFIG_KEY: unknown key `fast`',
  ],
];

for (const [rule, before, after, problem] of destinationCases)
  test(`says where and why in a destination: ${rule}`, async () => {
    const [found = 'no problem'] = await problemsOf(before, after, 'destinations/order.yaml');
    assert.equal(found.split('\n')[0], `destinations/order.yaml:${problem}`);
  });

test('a secret that is missing does not hide what is wrong with a destination', async () => {
  const files = {
    'readback.yml': yaml,
    'destinations/retention_task.yaml': destination.replace('quantity:', 'quantty:'),
  };
  const { problems } = await load({ files, env: {} });
  const codes = problems.map(({ code, place }) => `${place?.file} ${code}`);
  assert.ok(codes.includes('readback.yml SECRET_REFERENCE'));
  assert.ok(codes.includes('destinations/retention_task.yaml CONFIG_KEY'));
});

test('a secret written into any place of the connection is never repeated', async () => {
  const secret = 'erp-secret-4711';
  const places = [
    'env:ERP_TOKEN',
    '{ x-company: acme }',
    '/orders',
    '/id',
    '"{note}"',
    'https://erp.example/api',
    'keyed',
  ];
  for (const place of places)
    for (const problem of await problemsOf(place, JSON.stringify(`${secret} {{`)))
      assert.ok(!problem.includes(secret), problem);
});

test('a braced text in a body that is no placeholder is sent as it is', async () => {
  const graphql = 'body: { query: "mutation { order(reference: $r) { id } }", r: "{reference}", ';
  assert.deepEqual(await problemsOf('body: { reference: "{reference}", ', graphql), []);
});
