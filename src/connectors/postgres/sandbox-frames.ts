/** Whole messages of the Postgres protocol out of the pieces in which they arrive: one letter, length, body. */
export class Frames {
  #rest: Buffer = Buffer.alloc(0);

  /** @returns messages with their head */
  push(piece: Buffer): Buffer[] {
    this.#rest = this.#rest.length === 0 ? piece : Buffer.concat([this.#rest, piece]);
    const whole: Buffer[] = [];
    while (this.#rest.length >= 5) {
      const length = this.#rest.readInt32BE(1) + 1;
      if (this.#rest.length < length) break;
      whole.push(this.#rest.subarray(0, length));
      this.#rest = this.#rest.subarray(length);
    }
    return whole;
  }
}

export function letterOf(frame: Buffer): string {
  return String.fromCharCode(frame[0] ?? 0);
}

/** A message with this body. */
export function frame(letter: string, body: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.write(letter, 0, 'latin1');
  head.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
}

export function errorFrame(severity: 'ERROR' | 'FATAL', code: string, message: string): Buffer {
  const fields = [`S${severity}`, `V${severity}`, `C${code}`, `M${message}`].map((text) => `${text}\0`);
  return frame('E', Buffer.from(`${fields.join('')}\0`));
}

/** The server is ready, outside of a transaction. */
export const ready = frame('Z', Buffer.from('I'));

/** A well-formed answer to a statement that was never asked: nothing at all. */
export const nothingAtAll = Buffer.concat([
  frame('1', Buffer.alloc(0)),
  frame('2', Buffer.alloc(0)),
  frame('n', Buffer.alloc(0)),
  frame('C', Buffer.from('SELECT 0\0')),
  ready,
]);

/** The SQL of a Parse message. */
export function sqlOf(parse: Buffer): string {
  const start = parse.indexOf(0, 5) + 1;
  return parse.toString('utf8', start, parse.indexOf(0, start));
}

/** A Parse message with other SQL. */
export function withSql(parse: Buffer, sql: string): Buffer {
  const start = parse.indexOf(0, 5) + 1;
  const end = parse.indexOf(0, start);
  return frame('P', Buffer.concat([parse.subarray(5, start), Buffer.from(sql), parse.subarray(end)]));
}

/** Where the first parameter of a Bind message lies; undefined when it has none. */
function firstParameter(bind: Buffer): { at: number; length: number } | undefined {
  const portal = bind.indexOf(0, 5) + 1;
  const formats = bind.indexOf(0, portal) + 1;
  const count = formats + 2 + bind.readInt16BE(formats) * 2;
  if (bind.readInt16BE(count) < 1) return undefined;
  const at = count + 6;
  return { at, length: Math.max(0, bind.readInt32BE(count + 2)) };
}

export function parameterOf(bind: Buffer): string {
  const { at, length } = firstParameter(bind) ?? { at: 0, length: 0 };
  return bind.toString('utf8', at, at + length);
}

/** A Bind message with another first parameter. */
export function withParameter(bind: Buffer, text: string): Buffer {
  const { at, length } = firstParameter(bind) ?? { at: bind.length, length: 0 };
  const value = Buffer.from(text);
  const size = Buffer.alloc(4);
  size.writeInt32BE(value.length);
  return frame('B', Buffer.concat([bind.subarray(5, at - 4), size, value, bind.subarray(at + length)]));
}
