/** An HTTP server whose answers a test writes down beforehand or as it goes: what the client has to put up with. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { MasterSource } from '../../../framework/mesos-http-client/master-source.ts';
import { encodeRecord } from '../../../framework/mesos-http-client/record-io.ts';

export interface Received {
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: {
    type: string;
    framework_id?: { value: string };
    subscribe?: { framework_info: { id?: { value: string }; principal?: string }; suppressed_roles?: string[] };
  };
  /** The connection it came over. */
  readonly socket: object;
}

type Answer = (received: Received, response: ServerResponse) => void;

export class ScriptedMaster {
  readonly received: Received[] = [];
  /** Streams that are open, oldest first. */
  readonly streams: ServerResponse[] = [];
  onSubscribe: Answer = (_received, response) => this.openStream(response);
  onCall: Answer = (_received, response) => response.writeHead(202).end();
  url = '';
  /** The one value of `Authorization` that is taken; null: every request is. */
  authorization: string | null = null;
  readonly #scheme: 'http' | 'https';
  readonly #server;

  /** `tls`: a certificate for `localhost`, under which name it is reached then. */
  constructor(tls?: { readonly key: Buffer; readonly cert: Buffer }) {
    const listener = (request: IncomingMessage, response: ServerResponse) => void this.#serve(request, response);
    this.#scheme = tls === undefined ? 'http' : 'https';
    this.#server = tls === undefined ? createServer(listener) : createTlsServer(tls, listener);
  }

  async start(): Promise<this> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    const host = this.#scheme === 'http' ? '127.0.0.1' : 'localhost';
    this.url = `${this.#scheme}://${host}:${(this.#server.address() as AddressInfo).port}`;
    return this;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  openStream(response: ServerResponse, streamId = `stream-${this.streams.length + 1}`): void {
    response.writeHead(200, { 'content-type': 'application/json', 'mesos-stream-id': streamId });
    this.streams.push(response);
    this.write(SUBSCRIBED, response);
  }

  /** An event, to the newest stream. */
  write(event: object, to = this.streams.at(-1)): void {
    to?.write(encodeRecord(JSON.stringify(event)));
  }

  calls(type: string): Received[] {
    return this.received.filter((one) => one.body.type === type);
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let text = '';
    for await (const chunk of request) text += String(chunk);
    const body = JSON.parse(text) as Received['body'];
    const received = { path: request.url ?? '', headers: request.headers, body, socket: request.socket };
    this.received.push(received);
    response.on('error', () => {});
    if (this.authorization !== null && request.headers.authorization !== this.authorization) {
      response.writeHead(401, { 'www-authenticate': 'Basic realm="mesos-master-scheduler"' }).end('401 Unauthorized.');
      return;
    }
    if (body.type === 'SUBSCRIBE') this.onSubscribe(received, response);
    else this.onCall(received, response);
  }
}

export const SUBSCRIBED = {
  type: 'SUBSCRIBED',
  subscribed: { framework_id: { value: 'f-1' }, heartbeat_interval_seconds: 15, master_info: { id: 'm' } },
};

/** Masters that the test names as it goes. */
export class TestSource implements MasterSource {
  readonly #watchers = new Set<() => void>();
  #urls: readonly string[];

  constructor(...urls: string[]) {
    this.#urls = urls;
  }

  get watchers(): number {
    return this.#watchers.size;
  }

  current(): readonly string[] {
    return this.#urls;
  }

  watch(changed: () => void): () => void {
    this.#watchers.add(changed);
    return () => this.#watchers.delete(changed);
  }

  become(...urls: string[]): void {
    this.#urls = urls;
    for (const changed of this.#watchers) changed();
  }

  close(): void {
    this.#watchers.clear();
  }
}

export async function until(condition: () => boolean, seconds = 5): Promise<void> {
  const deadline = performance.now() + seconds * 1000;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`not within ${seconds} s: ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
