/**
 * A server that reads with the reference parser: what it sees is what a strict program behind the proxy would see. It
 * answers each request with what it was, so that an answer on the wrong connection shows.
 */
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { LIMITS } from '../agent-proxy/http1/limits.ts';
import type { ReferenceMessage } from '../agent-proxy/http1/reference-messages.ts';
import { parseRequests } from '../agent-proxy/http1/reference-parser.ts';

/** Of what the proxy adds to a head there is a little more than the client's own limits allow. */
const WIDE = { maxLine: 2 * LIMITS.maxLine, maxHeaders: 2 * LIMITS.maxHeaders, maxFields: 2 * LIMITS.maxFields };

export class StrictBackend {
  /** Complete requests, in order. */
  readonly received: ReferenceMessage[] = [];
  /** Why what came was no stream of requests. */
  readonly faults: string[] = [];
  /** What is answered to a request, as it is; by default {@link answerTo}, and the connection goes on. */
  answer: (message: ReferenceMessage, socket: Socket) => void = (message, socket) => {
    socket.write(answerTo(message, this.received.length), 'latin1');
  };
  private readonly server: Server;
  private readonly sockets = new Set<Socket>();

  constructor() {
    this.server = createServer((socket) => this.serve(socket));
  }

  async listen(): Promise<number> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    return (this.server.address() as AddressInfo).port;
  }

  close(): void {
    this.server.close();
    for (const socket of this.sockets) socket.destroy();
  }

  /** Forgets what came so far. */
  reset(): void {
    this.received.length = 0;
    this.faults.length = 0;
  }

  private serve(socket: Socket): void {
    let stream = '';
    let answered = 0;
    this.sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => this.sockets.delete(socket));
    socket.on('data', (bytes: Buffer) => {
      stream += bytes.toString('latin1');
      const { messages, end } = parseRequests(stream, WIDE);
      if (end.kind === 'fault') this.faults.push(`${end.why} in ${JSON.stringify(stream)}`);
      for (const message of messages.slice(answered)) {
        answered += 1;
        this.received.push(message);
        this.answer(message, socket);
      }
      // The whole stream is read again each time, so it must not grow for ever.
      if (end.kind === 'complete') {
        stream = '';
        answered = 0;
      }
    });
  }
}

/** What the body of the answer to a request says. */
export function echoOf({ start, body }: ReferenceMessage): string {
  return start.kind === 'request' ? `${start.method} ${start.target} ${body}` : '';
}

/** With a length, or in chunks. */
function answerTo(message: ReferenceMessage, count: number): string {
  const { start } = message;
  const echo = echoOf(message);
  const isHead = start.kind === 'request' && start.method === 'HEAD';
  if (count % 2 === 0) {
    return `HTTP/1.1 200 OK\r\nX-Backend: 1\r\nContent-Length: ${echo.length}\r\n\r\n${isHead ? '' : echo}`;
  }
  const chunks = `${echo.length.toString(16)};a=b\r\n${echo}\r\n0\r\nX-Trailer: 1\r\n\r\n`;
  return `HTTP/1.1 200 OK\r\nX-Backend: 1\r\nTransfer-Encoding: chunked\r\n\r\n${isHead ? '' : chunks}`;
}
