import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FaultKind } from '../connector.ts';
import type { Records } from '../records.ts';
import type { Faults } from '../sandbox.ts';
import type { RollingWindow } from '../sandbox-window.ts';

/** What all conversations of a sandbox share. */
export interface Post {
  faults: Faults;
  records: Records;
  log: { method: string; path: string; status: number; at: number }[];
  user: string;
  password: string;
  window: RollingWindow | undefined;
}

const endOfMail = '\r\n.\r\n';

/** One conversation after RFC 5321, with AUTH PLAIN (RFC 4954). It counts as one request. */
export class Conversation {
  readonly #socket: Socket;
  readonly #post: Post;
  readonly #entry = { method: 'MAIL', path: '/', status: 0, at: Date.now() };
  #rest = '';
  #isData = false;
  #isIn = false;
  #to = '';
  #work: Promise<void> = Promise.resolve();

  constructor(socket: Socket, post: Post) {
    this.#socket = socket;
    this.#post = post;
  }

  begin(): void {
    const { faults, window } = this.#post;
    this.#socket.setEncoding('utf8');
    this.#socket.on('error', () => {});
    this.#socket.on('data', (piece: string) => {
      this.#rest += piece;
      this.#advance();
    });
    const isFull = window?.admit(Date.now()).admitted === false;
    if (!isFull && !faults.take('throttle', '') && !faults.take('throttle_bare', ''))
      this.#say('220 sandbox ESMTP');
    else {
      this.#answer(421, '421 4.7.0 Too many connections, try again later');
      this.#socket.end();
    }
  }

  #advance(): void {
    for (;;) {
      const mark = this.#isData ? endOfMail : '\r\n';
      const end = this.#rest.indexOf(mark);
      if (end < 0) return;
      const text = this.#rest.slice(0, end);
      this.#rest = this.#rest.slice(end + mark.length);
      if (this.#isData) {
        this.#isData = false;
        this.#entry.status = 0;
        this.#work = this.#work.then(() => this.#take(text));
      } else this.#say(this.#obey(text));
    }
  }

  /** The answer to a command. */
  #obey(line: string): string {
    const verb = line.slice(0, 4).toUpperCase();
    if (verb === 'EHLO') return '250-sandbox\r\n250-AUTH PLAIN\r\n250 8BITMIME';
    if (verb === 'AUTH') return this.#login(line);
    if (verb === 'QUIT') return '221 2.0.0 Bye';
    if (!this.#isIn) return '530 5.7.0 Authentication required';
    if (verb === 'MAIL' || verb === 'RSET') return '250 2.0.0 Ok';
    if (verb === 'RCPT') return this.#recipient(line);
    if (verb !== 'DATA') return '502 5.5.2 Command not known';
    this.#isData = true;
    return '354 End with a dot';
  }

  #login(line: string): string {
    const { user, password, faults } = this.#post;
    const given = Buffer.from(line.split(' ')[2] ?? '', 'base64').toString();
    this.#isIn = given === `\0${user}\0${password}` && !faults.take('unauthorized', '');
    this.#decide(this.#isIn ? 235 : 535);
    return this.#isIn ? '235 2.7.0 Accepted' : '535 5.7.8 Username and password not accepted';
  }

  #recipient(line: string): string {
    this.#to = /<(.*?)>/.exec(line)?.[1] ?? '';
    const isRefused = this.#post.faults.take('reject_item', this.#to);
    return isRefused ? '550 5.1.1 No such user here' : '250 2.1.5 Ok';
  }

  async #take(text: string): Promise<void> {
    const fault = (kind: FaultKind) => this.#post.faults.take(kind, text);
    const slow = fault('slow');
    if (slow) await sleep(slow.delayMs ?? 1000);
    if (fault('reject_item')) return this.#answer(554, '554 5.6.0 Message refused');
    if (fault('garbage')) return this.#answer(200, '<!doctype html><title>Please log in</title>');
    if (fault('error_before_write')) return this.#answer(421, '421 4.3.2 Shutting down');
    if (fault('cut_before_write')) return this.#cut();
    if (!fault('accept_without_write')) this.#keep(text);
    if (fault('error_after_write')) return this.#answer(421, '421 4.3.2 Shutting down');
    if (fault('cut_after_write')) return this.#cut();
    return this.#answer(250, '250 2.0.0 Queued');
  }

  #keep(text: string): void {
    const header = (name: string) => new RegExp(`^${name}: (.*)$`, 'im').exec(text)?.[1] ?? '';
    const id = `${this.#post.records.list().length + 1}`;
    const message = {
      message_id: header('Message-ID'),
      subject: header('Subject'),
      to: this.#to,
      source: text,
    };
    this.#post.records.put('mails', id, message);
  }

  #answer(status: number, line: string): void {
    this.#decide(status);
    this.#say(line);
  }

  #cut(): void {
    this.#socket.resetAndDestroy();
  }

  /** From the first decision on the conversation is in the log. */
  #decide(status: number): void {
    this.#entry.status = status;
    if (!this.#post.log.includes(this.#entry)) this.#post.log.push(this.#entry);
  }

  #say(line: string): void {
    if (this.#socket.writable) this.#socket.write(`${line}\r\n`);
  }
}
