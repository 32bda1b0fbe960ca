import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { guardedLookup, isRefused } from '../../src/connectors/addresses.ts';
import { at, readJson } from '../../src/connectors/http/pointer.ts';
import { fillJson, fillPath, fillQuery, Unaddressable } from '../../src/connectors/http/template.ts';
import { canonicalValue, toJson } from '../../src/connectors/http/values.ts';

const texts = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 30 }),
  fc.constantFrom('.', '..', '', '/', '../../admin', '%2e%2e', '?a=1', '#', 'a b', '+', '\ud800', '\r\nX: y'),
);

/** Half of a surrogate pair is no text that could be sent. */
function isTorn(text: string): boolean {
  return /\p{Surrogate}/u.test(text);
}

describe('an address', () => {
  test('holds every value inside its own segment and parameter, whatever it is', () => {
    fc.assert(
      fc.property(texts, texts, (segment, parameter) => {
        const lookup = (name: string) => (name === 'a' ? segment : parameter);
        let address: string;
        try {
          address = fillPath('/api/orders/{a}/lines', lookup) + fillQuery({ 'x&y': 'v{b}', z: '1' }, lookup);
        } catch (error) {
          assert.ok(error instanceof Unaddressable);
          assert.ok(/^\.{0,2}$/.test(segment) || [segment, parameter].some(isTorn));
          return;
        }
        const url = new URL(address, 'http://erp.example');
        assert.equal(url.host, 'erp.example');
        assert.deepEqual(url.pathname.split('/').map(decodeURIComponent), [
          '',
          'api',
          'orders',
          segment,
          'lines',
        ]);
        assert.deepEqual(
          [...url.searchParams],
          [
            ['x&y', `v${parameter}`],
            ['z', '1'],
          ],
        );
        assert.equal(url.hash, '');
      }),
      { numRuns: 2_000 },
    );
  });

  test('refuses a value that would make it another address', () => {
    for (const value of ['', '.', '..', undefined])
      assert.throws(() => fillPath('/orders/{a}', () => value), Unaddressable);
    assert.equal(
      fillPath('/orders/v{a}', () => '..'),
      '/orders/v..',
    );
  });

  test('leaves out a parameter whose only value is not given', () => {
    assert.equal(
      fillQuery({ a: '{x}', b: 'y{x}' }, () => undefined),
      '?b=y',
    );
  });
});

describe('a body', () => {
  test('is JSON that holds every value as it is, at its place', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary' }),
        fc.double({ noNaN: true, noDefaultInfinity: true }),
        (text, number) => {
          const lookup = (name: string) => (name === 'a' ? text : name === 'b' ? number : undefined);
          const filled = fillJson({ a: '{a}', list: [{ b: '{b}', c: '{c}' }], d: 'is {a}', e: 7 }, lookup);
          assert.deepEqual(filled, { a: text, list: [{ b: number }], d: `is ${text}`, e: 7 });
        },
      ),
    );
  });

  test('a value cannot bring placeholders of its own', () => {
    assert.deepEqual(
      fillJson({ a: 'x {a}' }, (name) => (name === 'a' ? '{b}' : 'secret')),
      { a: 'x {b}' },
    );
  });

  test('numbers, booleans and dates have their JSON types, and nothing is null', () => {
    assert.deepEqual(
      [
        toJson('number', ' +040.50 '),
        toJson('boolean', 'true'),
        toJson('date', '2026-01-31T09:30:00Z'),
        toJson('number', ''),
        toJson('text', ''),
        toJson('text', '007'),
      ],
      [40.5, true, '2026-01-31', null, '', '007'],
    );
  });
});

describe('an answer', () => {
  test('is read with every digit of its numbers', () => {
    const text = '{"id":9007199254740993,"price":1.50,"n":12,"s":"id: 9007199254740993","e":"\\"1.50\\""}';
    assert.deepEqual(readJson(text), {
      id: '9007199254740993',
      price: '1.50',
      n: 12,
      s: 'id: 9007199254740993',
      e: '"1.50"',
    });
  });

  test('is the same as JSON.parse gives, where that loses nothing', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), (value) => {
        const text = JSON.stringify(value);
        // JSON.stringify writes numbers as String does, so none of them can be changed.
        assert.deepEqual(readJson(text), JSON.parse(text));
      }),
    );
    for (const text of ['', '<html>', '{"a":1', 'nul']) assert.equal(readJson(text), undefined);
  });

  test('is entered by JSON pointers', () => {
    const json = { 'a/b': { '~': [{ id: 7 }] }, '': 1 };
    assert.equal(at(json, '/a~1b/~0/0/id'), 7);
    assert.equal(at(json, '/'), 1);
    assert.equal(at(json, ''), json);
    for (const pointer of ['/x', '/a~1b/x/y', '/constructor', '/a~1b/~0/length/x'])
      assert.equal(at(json, pointer), undefined, pointer);
  });

  test('holds the same value in another form, and not another value', () => {
    const same: [Parameters<typeof canonicalValue>[0], unknown, unknown][] = [
      ['number', '+040.50', 40.5],
      ['number', '1e3', '1000'],
      ['number', '-0', '0.00'],
      ['number', '12345678901234567890', '12345678901234567890.0'],
      ['boolean', 'true', true],
      ['date', '2026-01-31', '2026-01-31T00:00:00+02:00'],
      ['timestamp', '2026-01-31T09:30:00Z', '2026-01-31 10:30:00.000+01:00'],
      ['timestamp', '2026-01-31T09:30', '2026-01-31T09:30:00Z'],
      ['any_case', ' Acme GmbH', 'ACME GMBH\r\n'],
      ['text', 'a\r\nb ', 'a\nb'],
      ['text', '', null],
    ];
    for (const [type, one, other] of same)
      assert.equal(canonicalValue(type, one), canonicalValue(type, other), `${type} ${one} ${other}`);
    const different: typeof same = [
      ['number', '40.5', '40.51'],
      ['number', '12345678901234567890', '12345678901234567891'],
      ['text', 'a', 'A'],
      ['date', '2026-01-31', '2026-02-01'],
      ['timestamp', '2026-01-31T09:30:00Z', '2026-01-31T09:30:00+01:00'],
    ];
    for (const [type, one, other] of different)
      assert.notEqual(canonicalValue(type, one), canonicalValue(type, other), `${type} ${one} ${other}`);
  });
});

describe('the addresses that may be connected to', () => {
  test('are not those of link-local, metadata and no host at all, however they are written', () => {
    const refused = [
      '169.254.169.254',
      '169.254.1.1',
      '0.0.0.0',
      '100.100.100.200',
      '168.63.129.16',
      '255.255.255.255',
      '224.0.0.1',
      '[fe80::1]',
      'fe80::1%eth0',
      '[fd00:ec2::254]',
      '::',
      '[::ffff:169.254.169.254]',
      '::ffff:a9fe:a9fe',
      '::169.254.169.254',
      '64:ff9b::169.254.169.254',
      '2002:a9fe:a9fe::1',
    ];
    for (const address of refused) assert.ok(isRefused(address), address);
    // As a URL writes them.
    for (const host of ['2852039166', '0xa9fea9fe', '0251.0376.0251.0376', '169.254.43518'])
      assert.ok(isRefused(new URL(`http://${host}/`).hostname), host);
  });

  test('are all others, loopback and private networks included', () => {
    const allowed = [
      '127.0.0.1',
      '::1',
      '10.0.0.8',
      '192.168.1.2',
      '172.16.0.1',
      'fd12::8',
      '93.184.216.34',
      '2606::1',
    ];
    for (const address of [...allowed, 'erp.example', 'localhost', '::ffff:10.0.0.8', '64:ff9b::a00:8'])
      assert.ok(!isRefused(address), address);
  });

  test('are judged when a name is looked up', async () => {
    const found = await new Promise((done) =>
      guardedLookup('localhost', { all: true }, (error, all) => done(error ?? all)),
    );
    assert.ok(Array.isArray(found) && found.length > 0);
    const one = await new Promise((done) =>
      guardedLookup('127.0.0.1', {}, (error, address) => done(error ?? address)),
    );
    assert.equal(one, '127.0.0.1');
    const bad = await new Promise((done) => guardedLookup('169.254.169.254', {}, (error) => done(error)));
    assert.match(String(bad), /AddressRefused/);
  });
});
