/**
 * One TCP connection to one server, from the handshake to its end: requests go out in order and their answers come back
 * in the same order. It knows nothing of other connections of the session. It tells its owner what happens; after
 * `ended`, which comes once, it says nothing more.
 */
import { connect, type Socket } from 'node:net';
import type { Server } from './connect-string.ts';
import { errorOfCode, ZooKeeperError } from './errors.ts';
import { FrameReader, JuteError, JuteReader } from './jute.ts';
import {
  authFrame,
  closeSession,
  type Hello,
  helloFrame,
  type Operation,
  pingFrame,
  readEvent,
  readHeader,
  readWelcome,
  requestFrame,
  type WatchEvent,
  type Welcome,
  XID,
} from './protocol.ts';

export interface ConnectionOwner {
  /** The server took the session; `sentAt` is when it was asked to. Requests may be sent from now on. */
  welcomed(welcome: Welcome, sentAt: number): void;
  /** The server does not know the session any more. */
  expired(): void;
  /** A request that had been sent at `sentAt` was answered, also if with an error. */
  answered(sentAt: number): void;
  pinged(): void;
  event(event: WatchEvent): void;
  /** With the last transaction that was seen over it. `error` is what open requests were rejected with. */
  ended(error: ZooKeeperError): void;
}

export interface ConnectionOptions {
  readonly server: Server;
  readonly hello: Hello;
  /** `user:password`, or null. */
  readonly auth: string | null;
  /** For TCP and the handshake together. */
  readonly handshakeMs: number;
  /** Milliseconds of a monotonic clock. */
  now(): number;
}

interface Open {
  readonly xid: number;
  readonly operation: Operation<unknown>;
  readonly sentAt: number;
  /** Reads the answer. */
  readonly settle: (from: JuteReader) => void;
  readonly reject: (error: unknown) => void;
}

export class Connection {
  readonly #options: ConnectionOptions;
  readonly #owner: ConnectionOwner;
  readonly #socket: Socket;
  readonly #frames = new FrameReader();
  /** In the order in which they were sent, which is that of their answers. */
  readonly #open: Open[] = [];
  #phase: 'handshake' | 'ready' | 'ended' = 'handshake';
  #helloSentAt = 0;
  #lastXid = 0;
  #lastZxid: bigint;
  #timer: NodeJS.Timeout;

  constructor(options: ConnectionOptions, owner: ConnectionOwner) {
    this.#options = options;
    this.#owner = owner;
    this.#lastZxid = options.hello.lastZxid;
    this.#socket = connect({ ...options.server, noDelay: true });
    this.#timer = setTimeout(() => this.destroy(this.#loss('no answer to the handshake')), options.handshakeMs);
    this.#socket.on('connect', () => {
      this.#helloSentAt = options.now();
      this.#socket.write(helloFrame(options.hello));
    });
    this.#socket.on('data', (chunk: Buffer) => this.#data(chunk));
    this.#socket.on('error', (error) => this.destroy(this.#loss(error.message, error)));
    this.#socket.on('close', () => this.destroy(this.#loss('the server closed the connection')));
  }

  /** Of the last transaction that a server has told us of: no server that is behind it will take us. */
  get lastZxid(): bigint {
    return this.#lastZxid;
  }

  get openRequests(): number {
    return this.#open.length;
  }

  /** Sends at once. @throws {ZooKeeperError} what the server answers, or `connection-loss` and the like from `destroy` */
  send<T>(operation: Operation<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#lastXid = this.#lastXid === 0x7fffffff ? 1 : this.#lastXid + 1;
      this.#open.push({
        xid: this.#lastXid,
        operation,
        sentAt: this.#options.now(),
        settle: (from) => resolve(operation.read(from)),
        reject,
      });
      this.#socket.write(requestFrame(this.#lastXid, operation));
    });
  }

  ping(): void {
    this.#socket.write(pingFrame());
  }

  /** Asks the server to end the session, and waits for its word, but no longer than `withinMs`. */
  async closeSession(withinMs: number): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.destroy(this.#loss('no answer to the end of the session')), withinMs);
    await this.send(closeSession);
  }

  /** Ends it at once; open requests are rejected with `error`. */
  destroy(error: ZooKeeperError): void {
    if (this.#phase === 'ended') return;
    this.#phase = 'ended';
    clearTimeout(this.#timer);
    this.#socket.destroy();
    this.#owner.ended(error);
    for (const open of this.#open.splice(0)) open.reject(error);
  }

  #data(chunk: Buffer): void {
    try {
      for (const content of this.#frames.push(chunk)) {
        if (this.#phase === 'ended') return;
        if (this.#phase === 'handshake') this.#welcome(readWelcome(content));
        else this.#message(new JuteReader(content));
      }
    } catch (error) {
      if (!(error instanceof JuteError)) throw error;
      this.destroy(this.#loss(`the server does not speak ZooKeeper's protocol (${error.message})`, error));
    }
  }

  #welcome(welcome: Welcome): void {
    clearTimeout(this.#timer);
    if (welcome.timeoutMs <= 0) {
      this.#owner.expired();
      return;
    }
    this.#phase = 'ready';
    // Before anything else, since what follows needs the permission.
    if (this.#options.auth !== null) this.#socket.write(authFrame(this.#options.auth));
    this.#owner.welcomed(welcome, this.#helloSentAt);
  }

  #message(reader: JuteReader): void {
    const { xid, zxid, error } = readHeader(reader);
    if (xid === XID.notification) {
      this.#owner.event(readEvent(reader));
      return;
    }
    if (zxid > this.#lastZxid) this.#lastZxid = zxid;
    if (xid === XID.ping) this.#owner.pinged();
    else if (xid === XID.auth) {
      if (error !== 0) this.destroy(errorOfCode(error, 'login at', this.#address()));
    } else this.#answer(xid, error, reader);
  }

  #answer(xid: number, error: number, reader: JuteReader): void {
    const open = this.#open[0];
    if (open === undefined || open.xid !== xid) {
      this.destroy(this.#loss('an answer to a request that was not asked'));
      return;
    }
    this.#open.shift();
    this.#owner.answered(open.sentAt);
    if (error !== 0) {
      open.reject(errorOfCode(error, open.operation.name, open.operation.path));
      return;
    }
    try {
      open.settle(reader);
    } catch (failure) {
      open.reject(this.#loss('an answer that cannot be read'));
      throw failure;
    }
  }

  #address(): string {
    return `${this.#options.server.host}:${this.#options.server.port}`;
  }

  #loss(why: string, cause?: unknown): ZooKeeperError {
    return new ZooKeeperError('connection-loss', `ZooKeeper at ${this.#address()}: ${why}`, { cause });
  }
}
