import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { problemOf } from '../../src/connectors/kafka/codes.ts';
import { produceForm } from '../../src/connectors/kafka/forms.ts';
import { placeId, placeOf, slotOf } from '../../src/connectors/kafka/partition.ts';
import { crc32c, readBatch, writeBatch } from '../../src/connectors/kafka/sandbox-batch.ts';

/** A Produce request with one record, as bytes without the frame's head. */
async function produceBytes(): Promise<Buffer> {
  const message = { key: 'a', value: 'bc', headers: { h: 'x' } };
  const { protocol } = produceForm('t', new Map([[5, [message]]]), 1000);
  const { request } = protocol as { request: { encode(): Promise<{ buffer: Buffer }> } };
  return Buffer.from((await request.encode()).buffer);
}

describe('kafka on the wire', () => {
  test('a Produce request is the protocol guide’s, byte for byte', async () => {
    const bytes = await produceBytes();
    const times = bytes.subarray(54, 62).toString('hex');
    const checksum = crc32c(bytes.subarray(48)).toString(16).padStart(8, '0');
    const expected = [
      'ffff', // no transaction
      'ffff', // all replicas
      '000003e8', // timeout
      '00000001 0001 74', // one topic: t
      '00000001 00000005', // one partition: 5
      '0000004b', // bytes of records
      '0000000000000000', // base offset: the broker's to give
      '0000003f', // bytes that follow
      '00000000', // leader epoch
      '02', // version 2
      checksum, // of all that follows
      '0000', // neither compressed nor in a transaction
      '00000000', // last offset delta
      `${times} ${times}`, // first and last time
      'ffffffffffffffff 0000 00000000', // no producer id
      '00000001', // one record
      '1a', // of 13 bytes
      '00 00 00', // attributes, time delta, offset delta
      '02 61', // key a
      '04 6263', // value bc
      '02 02 68 02 78', // one header h: x
    ];
    assert.equal(bytes.toString('hex'), expected.join('').replaceAll(' ', ''));
  });

  test('the sandbox takes no batch whose checksum is wrong, that is cut off, or that has more to it', async () => {
    const batch = (await produceBytes()).subarray(27);
    assert.equal(crc32c(Buffer.from('123456789')), 0xe3069283);
    assert.equal(readBatch(batch).records[0]?.value?.toString(), 'bc');
    for (let at = 17; at < batch.length; at += 1) {
      const flipped = Buffer.from(batch);
      flipped[at] = (flipped[at] ?? 0) ^ 1;
      assert.throws(() => readBatch(flipped), RangeError, `byte ${at}`);
    }
    assert.throws(() => readBatch(batch.subarray(0, -1)), RangeError);
    assert.throws(() => readBatch(Buffer.concat([batch, Buffer.alloc(1)])), RangeError);
    assert.deepEqual(readBatch(writeBatch(readBatch(batch))), readBatch(batch));
  });

  test('a key goes to the partition that Kafka’s own producers choose', () => {
    // From Kafka's own test of murmur2.
    const hashes = {
      21: -973932308,
      foobar: -790332482,
      'a-little-bit-long-string': -985981536,
      'a-little-bit-longer-string': -1486304829,
      lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8: -58897971,
      abc: 479470107,
    };
    for (const [key, hash] of Object.entries(hashes)) assert.equal(slotOf(key), hash & 0x7fffffff, key);
  });

  test('a place keeps all digits of its offset', () => {
    const place = { topic: 'a.b-c', partition: 3, offset: 9223372036854775807n };
    assert.equal(placeId(place), 'a.b-c:3:9223372036854775807');
    assert.deepEqual(placeOf(placeId(place)), place);
    for (const id of [undefined, '', 'a:b', 'a:-1:2', 'a:1:2:3 ']) assert.equal(placeOf(id), undefined, id);
  });

  test('an error that came up after the leader had stored the records is a doubt, not a no', () => {
    assert.deepEqual(
      [6, 7, 10, 19, 20, -1, 56, 999].map((code) => problemOf(code, 't', 0).kind),
      ['rejected', 'ambiguous', 'rejected', 'rejected', 'ambiguous', 'ambiguous', 'ambiguous', 'ambiguous'],
    );
    assert.equal(problemOf(6, 't', 0, true).kind, 'ambiguous');
  });
});
