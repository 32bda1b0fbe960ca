import http, { type AgentOptions, type ClientRequestArgs, Agent as HttpAgent } from 'node:http';
import https, { Agent as HttpsAgent } from 'node:https';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { callDeadline, GivenUp } from './calls.ts';

type Ready = (error: Error | null, socket: Duplex) => void;

/** Servers close idle connections after 5 s and more; ours are given up before. */
const idleMs = 4_000;

/**
 * Connections for clients of node:http. One that is there only after the deadline of its call is closed unused: Node.js
 * tells of it before the timers that are due, and what waits for it would be sent by a process that was suspended
 * meanwhile, when another may have sent the same.
 *
 * @param protocol as a `URL` has it
 * @param keepAlive false: a connection of its own for each request
 */
export function agentFor(protocol: string, keepAlive = true): HttpAgent | HttpsAgent {
  const options: AgentOptions = keepAlive ? { keepAlive, timeout: idleMs } : { keepAlive };
  return protocol === 'https:' ? new TimelyHttps(options) : new TimelyHttp(options);
}

/** For SDKs that cannot be given an agent: the one that every request of the process has that names none. */
export function shareAgents(): void {
  if (http.globalAgent instanceof TimelyHttp) return;
  http.globalAgent = agentFor('http:');
  https.globalAgent = agentFor('https:') as HttpsAgent;
}

class TimelyHttp extends HttpAgent {
  override createConnection(options: ClientRequestArgs, ready?: Ready): Duplex | undefined {
    return inTime(super.createConnection(options), 'connect', ready);
  }
}

class TimelyHttps extends HttpsAgent {
  override createConnection(options: ClientRequestArgs, ready?: Ready): Duplex | undefined {
    return inTime(super.createConnection(options), 'secureConnect', ready);
  }
}

function inTime(made: Duplex | null | undefined, event: 'connect' | 'secureConnect', ready?: Ready) {
  const socket = made as Socket;
  const until = callDeadline();
  const giveUp = () => socket.destroy(new GivenUp('no connection before the deadline'));
  const timer = until === undefined ? undefined : setTimeout(giveUp, until - performance.now());
  const end = () => {
    clearTimeout(timer);
    socket.off('error', fail);
  };
  const fail = (error: Error) => {
    end();
    ready?.(error, socket);
  };
  socket.once('error', fail);
  socket.once(event, () => {
    if (until !== undefined && performance.now() > until) return giveUp();
    end();
    ready?.(null, socket);
  });
  return undefined;
}
