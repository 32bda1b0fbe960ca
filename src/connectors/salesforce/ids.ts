const digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ012345';

/**
 * A record id with its check digits: 15 characters that tell upper from lower case become the 18 that do not need to
 * (each of the three says which of five are upper case). Any other text is left as it is.
 */
export function longId(text: string): string {
  if (!/^[A-Za-z0-9]{15}$/.test(text)) return text;
  const check = [0, 5, 10].map((start) => {
    const bits = [0, 1, 2, 3, 4].map((at) => (/[A-Z]/.test(text[start + at] ?? '') ? 1 << at : 0));
    return digits[bits.reduce((sum, bit) => sum + bit, 0)];
  });
  return text + check.join('');
}
