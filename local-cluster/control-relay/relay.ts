/**
 * What stands between the scheduler and its proxies in the embedded cluster: the scheduler advertises the relay as its
 * only address, and the relay hands on all that comes. It can do to an agent's control stream what networks do.
 */
import {
  type ClientRequest,
  createServer,
  type IncomingMessage,
  request,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { Socket } from 'node:net';
import { AgentLink, type LinkMode } from './modes.ts';
import { isDelta, RecordCutter } from './records.ts';

const SUBSCRIBE_PATH = '/control/v1/subscribe';
const CONTROL = /^\/control\//;
/** What the scheduler takes at most as a report. */
const MAX_BODY_BYTES = 8 * 1024 * 1024;

export class ControlRelay {
  readonly #target: string;
  readonly #server: Server;
  readonly #links = new Map<string, AgentLink>();
  /** Whose connection it is, as the last message on it said. */
  readonly #agents = new WeakMap<Socket, string>();
  readonly #open = new Set<Socket>();
  /** Nothing goes in or out on these any more. */
  readonly #silent = new WeakSet<Socket>();

  /** `target` is the scheduler's own base URL. */
  constructor(target: string) {
    this.#target = target;
    this.#server = createServer({ keepAliveTimeout: 75_000 }, (asked, answer) => this.#relay(asked, answer));
    this.#server.on('connection', (socket) => {
      this.#open.add(socket);
      socket.on('close', () => this.#open.delete(socket));
    });
  }

  /** The caller listens on it. */
  get server(): Server {
    return this.#server;
  }

  /**
   * From now on. `blackhole` silences the connections that are open now, for ever: neither side hears of it. Those that
   * come later are as all others.
   */
  set(agentId: string, mode: LinkMode): void {
    this.#link(agentId).mode = mode;
    if (mode !== 'blackhole') return;
    for (const socket of this.#open) if (this.#agents.get(socket) === agentId) this.#silent.add(socket);
  }

  link(agentId: string): { readonly mode: LinkMode; readonly hit: number } {
    const { mode, hit } = this.#link(agentId);
    return { mode, hit };
  }

  async close(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeAllConnections();
    await closed;
  }

  #relay(asked: IncomingMessage, answer: ServerResponse): void {
    answer.on('error', () => answer.destroy());
    if (CONTROL.test(asked.url ?? '')) {
      this.#control(asked, answer).catch(() => answer.destroy());
      return;
    }
    const onward = this.#onward(asked, answer);
    onward.on('response', (given: IncomingMessage) => {
      answer.writeHead(given.statusCode ?? 502, given.headers);
      given.on('error', () => answer.destroy()).pipe(answer);
    });
    asked.pipe(onward);
  }

  async #control(asked: IncomingMessage, answer: ServerResponse): Promise<void> {
    const { socket } = asked;
    const chunks: Buffer[] = [];
    let length = 0;
    for await (const chunk of asked as AsyncIterable<Buffer>) {
      length += chunk.length;
      if (length > MAX_BODY_BYTES) throw new Error('too long for a message to the scheduler');
      chunks.push(chunk);
    }
    const body = Buffer.concat(chunks);
    if (this.#silent.has(socket)) return;
    const agentId = agentOf(body);
    if (agentId !== null) this.#agents.set(socket, agentId);
    const onward = this.#onward(asked, answer);
    onward.on('response', (given: IncomingMessage) => {
      if (this.#silent.has(socket)) return;
      answer.writeHead(given.statusCode ?? 502, given.headers);
      answer.flushHeaders();
      // The end of what came from there; on a silent connection nobody hears of it.
      given.on('error', () => this.#unlessSilent(socket, () => answer.destroy()));
      given.on('end', () => this.#unlessSilent(socket, () => answer.end()));
      const isStream = asked.url === SUBSCRIBE_PATH && given.statusCode === 200 && agentId !== null;
      const cutter = new RecordCutter();
      const handing = isStream ? this.#link(agentId).handing(isDelta) : null;
      given.on('data', (chunk: Buffer) => {
        if (this.#silent.has(socket)) return;
        let takes = true;
        try {
          const out = handing === null ? [chunk] : cutter.push(chunk).flatMap((record) => [...handing(record)]);
          for (const bytes of out) takes = answer.write(bytes);
        } catch {
          answer.destroy();
        }
        if (takes) return;
        given.pause();
        answer.once('drain', () => given.resume());
      });
    });
    onward.end(body);
  }

  #onward(asked: IncomingMessage, answer: ServerResponse): ClientRequest {
    const { method = 'GET', url = '/', headers, socket } = asked;
    const onward = request(`${this.#target}${url}`, { method, headers, agent: false });
    // Whoever is not there any more is not there for the other either, unless the line between them is dead.
    onward.on('error', () => this.#unlessSilent(socket, () => answer.destroy()));
    answer.on('close', () => this.#unlessSilent(socket, () => onward.destroy()));
    return onward;
  }

  #unlessSilent(socket: Socket, act: () => void): void {
    if (!this.#silent.has(socket)) act();
  }

  #link(agentId: string): AgentLink {
    let link = this.#links.get(agentId);
    if (link === undefined) {
      link = new AgentLink();
      this.#links.set(agentId, link);
    }
    return link;
  }
}

/** Whose message it is; null for what is none. */
function agentOf(body: Buffer): string | null {
  try {
    const message: unknown = JSON.parse(body.toString('utf8'));
    if (typeof message !== 'object' || message === null || !('agentId' in message)) return null;
    return typeof message.agentId === 'string' ? message.agentId : null;
  } catch {
    return null;
  }
}
