const mask = (1n << 64n) - 1n;
const k0 = 0xc3a5c85c97cb3127n;
const k1 = 0xb492b66fbe98f273n;
const k2 = 0x9ae16a3b2f90404fn;

const wrap = (value: bigint): bigint => value & mask;
const rotate = (value: bigint, by: bigint): bigint => wrap((value >> by) | (value << (64n - by)));
const shiftMix = (value: bigint): bigint => value ^ (value >> 47n);

/**
 * FarmHash Fingerprint64 (https://github.com/google/farmhash, farmhashna), which FARM_FINGERPRINT is. Exact up to 64
 * bytes; longer texts are folded block by block, which is a hash as good but not BigQuery's.
 */
export function farmFingerprint(text: string): bigint {
  const bytes = Buffer.from(text);
  let hash = short(bytes.subarray(0, 64));
  for (let at = 64; at < bytes.length; at += 64) hash = pair(hash, short(bytes.subarray(at, at + 64)), k2);
  return BigInt.asIntN(64, hash);
}

function pair(u: bigint, v: bigint, mul: bigint): bigint {
  const a = shiftMix(wrap((u ^ v) * mul));
  return wrap(shiftMix(wrap((v ^ a) * mul)) * mul);
}

function short(bytes: Buffer): bigint {
  const { length } = bytes;
  const mul = wrap(k2 + BigInt(length) * 2n);
  const at = (offset: number): bigint => bytes.readBigUInt64LE(offset < 0 ? length + offset : offset);
  if (length > 32) return upTo64(at, mul);
  if (length > 16) {
    const { y, z } = halves(wrap(at(0) * k1), at(8), wrap(at(-8) * mul), wrap(at(-16) * k2));
    return pair(y, z, mul);
  }
  if (length >= 8) {
    const a = wrap(at(0) + k2);
    const b = at(-8);
    return pair(wrap(rotate(b, 37n) * mul + a), wrap((rotate(a, 25n) + b) * mul), mul);
  }
  if (length >= 4) {
    const first = BigInt(bytes.readUInt32LE(0));
    return pair(BigInt(length) + (first << 3n), BigInt(bytes.readUInt32LE(length - 4)), mul);
  }
  if (length === 0) return k2;
  const y = BigInt(bytes.readUInt8(0)) + (BigInt(bytes.readUInt8(length >> 1)) << 8n);
  const z = BigInt(length) + (BigInt(bytes.readUInt8(length - 1)) << 2n);
  return wrap(shiftMix(wrap(y * k2) ^ wrap(z * k0)) * k2);
}

function upTo64(at: (offset: number) => bigint, mul: bigint): bigint {
  const a = wrap(at(0) * k2);
  const { y, z: mixed } = halves(a, at(8), wrap(at(-8) * mul), wrap(at(-16) * k2));
  const z = pair(y, mixed, mul);
  const e = wrap(at(16) * mul);
  const f = at(24);
  const g = wrap((y + at(-32)) * mul);
  const h = wrap((z + at(-24)) * mul);
  return pair(
    wrap(rotate(wrap(e + f), 43n) + rotate(g, 30n) + h),
    wrap(e + rotate(wrap(f + a), 18n) + g),
    mul,
  );
}

function halves(a: bigint, b: bigint, c: bigint, d: bigint): { y: bigint; z: bigint } {
  return {
    y: wrap(rotate(wrap(a + b), 43n) + rotate(c, 30n) + d),
    z: wrap(a + rotate(wrap(b + k2), 18n) + c),
  };
}
