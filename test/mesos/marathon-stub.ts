/** In the place of Marathon: no apps, and an event stream on which nothing happens. The scheduler needs one to begin. */
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

const SIGN_OF_LIFE_MS = 5_000;

export class MarathonStub {
  readonly url: string;
  readonly #server: Server;
  readonly #streams: Set<ServerResponse>;
  readonly #timer: NodeJS.Timeout;

  private constructor(server: Server, streams: Set<ServerResponse>) {
    this.#server = server;
    this.#streams = streams;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    this.#timer = setInterval(() => {
      for (const stream of streams) stream.write('\r\n');
    }, SIGN_OF_LIFE_MS);
  }

  static async start(): Promise<MarathonStub> {
    const streams = new Set<ServerResponse>();
    const server = createServer((request, response) => {
      const path = (request.url ?? '/').split('?', 1)[0];
      if (path === '/v2/events') {
        response.writeHead(200, { 'Content-Type': 'text/event-stream' });
        const attached = { remoteAddress: '127.0.0.1', eventType: 'event_stream_attached', timestamp: new Date() };
        response.write(`event: event_stream_attached\ndata: ${JSON.stringify(attached)}\n\n`);
        streams.add(response);
        response.on('close', () => streams.delete(response));
      } else if (path === '/v2/apps') {
        response.writeHead(200, { 'Content-Type': 'application/json' }).end('{"apps":[]}');
      } else {
        response.writeHead(404, { 'Content-Type': 'application/json' }).end('{"message":"not found"}');
      }
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(0, '127.0.0.1', resolve);
    });
    return new MarathonStub(server, streams);
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    for (const stream of this.#streams) stream.destroy();
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}
