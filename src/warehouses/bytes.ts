/** A size as users write it: `50GB`, `512MiB`. */
export const sizePattern = /^\d+(\.\d+)?\s?([KMGT]i?)?B$/;

const letters = ['K', 'M', 'G', 'T'];

/** Bytes of a size that matches `sizePattern`; the `i` makes it binary. */
export function bytesOf(size: string): bigint {
  const [, amount = '0', letter = '', binary = ''] = /^([\d.]+)\s?([KMGT]?)(i?)B$/.exec(size) ?? [];
  const factor = (binary ? 1024 : 1000) ** (letters.indexOf(letter) + 1);
  return BigInt(Math.round(Number(amount) * factor));
}

/** `1.2 GB`; whole bytes below a thousand. */
export function shownBytes(bytes: bigint): string {
  let amount = Number(bytes);
  let letter = '';
  for (const next of letters) {
    if (amount < 1000) break;
    amount /= 1000;
    letter = next;
  }
  const digits = letter === '' ? 0 : 1;
  return `${amount.toFixed(digits)} ${letter}B`;
}
