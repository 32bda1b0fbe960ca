import type { Chance } from './chance.ts';
import { faultAt } from './harm.ts';
import { allFiles, allKeys, fileType, linesOf, spliced, yamlRange } from './keys.ts';
import type { Fault, Kinds, Mutator } from './mutation.ts';
import { soundFiles } from './project.ts';

function bytesIn(chance: Chance, bytes: readonly number[]): { files: Record<string, Buffer>; fault: Fault } {
  const file = chance.pick(allFiles);
  const sound = Buffer.from(soundFiles[file] ?? '');
  const at = chance.between(0, sound.length);
  const before = sound.subarray(0, at);
  const index = before.toString('latin1').split('\n').length - 1;
  const content = Buffer.concat([before, Buffer.from(bytes), sound.subarray(at)]);
  return { files: { [file]: content }, fault: faultAt(file, index) };
}

/** No UTF-8: a lone continuation, an overlong slash, a surrogate, a byte that never occurs, a Latin-1 letter. */
const notUtf8 = [
  [0x80],
  [0xc0, 0xaf],
  [0xed, 0xa0, 0x80],
  [0xff],
  [0xfe, 0xff],
  [0xe9, 0x20],
  [0xf5, 0x80, 0x80, 0x80],
];

const tooLarge: Mutator = (chance) => {
  const file = chance.pick(allFiles);
  const size = chance.between(1_000_001, 10_000_000);
  const filling = chance.pick(['x', '\n', '# x\n', 'a: b\n', '- ', '[', '/*', '\t', '😀']);
  const content = Buffer.alloc(size, `${soundFiles[file]}${filling.repeat(1_000)}`);
  return { files: { [file]: content }, fault: { ...faultAt(file, 0), lines: null } };
};

/** Over what is parsed, below what is read. */
const muchYaml: Mutator = (chance) => {
  const key = chance.pick(allKeys.filter((one) => one.name === 'description'));
  const text = `${chance.word(4)} `.repeat(chance.between(41_000, 190_000));
  return {
    files: spliced(key.file, key.index, 1, `description: ${text}`),
    fault: { ...faultAt(key.file, 0), lines: { first: 1, last: key.index + 1 } },
  };
};

const markInside: Mutator = (chance) => {
  const key = chance.pick(allKeys.filter((one) => one.value !== '' || one.indent === 0));
  const line = linesOf(key.file)[key.index] ?? '';
  const mark = chance.pick(['\uFEFF', '\u200B', '\u00A0', '\u2028', '\u00AD', 'а', '\u0085']);
  const text = `${' '.repeat(key.indent)}${mark}${line.trimStart()}`;
  // A byte order mark is allowed where the YAML begins, so a mark there need not be a fault.
  if (key.index === yamlRange(key.file).first) return undefined;
  const harms = fileType(key.file) === 'root' && key.indent > 0 ? ({ kind: 'all' } as const) : undefined;
  return {
    files: spliced(key.file, key.index, 1, text),
    fault: faultAt(key.file, key.index, harms && { harms }),
  };
};

const noText: Mutator = (chance) => {
  const file = chance.pick(allFiles);
  const content = chance.pick([
    '',
    '\n',
    '   \n\n',
    '# nothing\n',
    '---\n',
    '\uFEFF',
    '...\n',
    '{}\n',
    '[]\n',
    '~\n',
    'text\n',
    '42\n',
  ]);
  const { last } = yamlRange(file);
  return { files: { [file]: content }, fault: { ...faultAt(file, 0), lines: { first: 1, last: last + 1 } } };
};

const binary: Mutator = (chance) => {
  const file = chance.pick(allFiles);
  const content = Buffer.from(
    Array.from({ length: chance.between(50, 5_000) }, () => chance.between(0, 255)),
  );
  // One of the two is always in it, and which comes first is not known.
  content[chance.between(0, 20)] = 0;
  content[chance.between(21, 40)] = 0xff;
  const last = content.toString('latin1').split(/\r\n?|\n/).length;
  return { files: { [file]: content }, fault: { ...faultAt(file, 0), lines: { first: 1, last } } };
};

export const byteKinds: Kinds = {
  'NUL byte': (chance) => bytesIn(chance, [0]),
  'invalid UTF-8': (chance) => bytesIn(chance, chance.pick(notUtf8)),
  'too large a file': tooLarge,
  'too much YAML': muchYaml,
  'invisible mark inside': markInside,
  'no text to speak of': noText,
  'binary file': binary,
};
