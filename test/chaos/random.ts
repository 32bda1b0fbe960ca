/** What a draw is made for: a drill's seed, then names and indexes that no other draw shares. */
export type DrawFor = readonly (string | number)[];

/**
 * A number in [0, 1) with 32 random bits that depends on nothing but its arguments: the same draw is the same in every
 * process and in any order, so that the fault of request 7 does not change when request 6 came twice.
 */
export function draw(seed: number, ...names: DrawFor): number {
  return hash(seed, names) / 2 ** 32;
}

/** A whole number from 0 to `below` - 1. */
export function drawBelow(below: number, seed: number, ...names: DrawFor): number {
  return Math.floor(draw(seed, ...names) * below);
}

/** One of the list, which must not be empty. */
export function drawOne<One>(list: readonly One[], seed: number, ...names: DrawFor): One {
  return list[drawBelow(list.length, seed, ...names)] as One;
}

/** Eight hexadecimal digits, such as `1a2b3c4d`. */
export function drawHex(seed: number, ...names: DrawFor): string {
  return hash(seed, names).toString(16).padStart(8, '0');
}

/** The list in another order (Fisher-Yates); the list itself stays as it is. */
export function shuffled<One>(list: readonly One[], seed: number, ...names: DrawFor): One[] {
  const result = [...list];
  for (let last = result.length - 1; last > 0; last--) {
    const other = drawBelow(last + 1, seed, ...names, last);
    [result[last], result[other]] = [result[other] as One, result[last] as One];
  }
  return result;
}

/** FNV-1a over the characters, each name ended by a character no name has, mixed as MurmurHash3 ends. */
function hash(seed: number, names: DrawFor): number {
  let state = 0x811c9dc5 ^ mix(seed >>> 0) ^ Math.floor(seed / 2 ** 32);
  for (const name of names) {
    const text = String(name);
    for (let index = 0; index < text.length; index++)
      state = Math.imul(state ^ text.charCodeAt(index), 0x01000193);
    state = Math.imul(state ^ 0xffff, 0x01000193);
  }
  return mix(state);
}

function mix(value: number): number {
  let state = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  state = Math.imul(state ^ (state >>> 13), 0xc2b2ae35);
  return (state ^ (state >>> 16)) >>> 0;
}
