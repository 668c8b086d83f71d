/** Servers behind the proxy: `node:http`, and a plain one on a socket that does as little as HTTP/1.0 asks. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer as createPlainServer, type Server, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

export interface Backend {
  readonly port: number;
  /** Connections that it has accepted. */
  readonly accepted: number;
  /** Heads and trailers of the requests, raw. */
  readonly heads: {
    readonly line: string;
    readonly headers: readonly string[];
    readonly trailers: readonly string[];
  }[];
}

async function listening(server: Server): Promise<number> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  onTestFinished(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

/**
 * Gives back what it got: `/length` with a length, `/chunked` in chunks with a trailer, `/stream` piece by piece as it
 * comes. `/status/204` is a status alone, `/hints` an early hint and an answer.
 */
export async function useNodeServer(): Promise<Backend> {
  const heads: Backend['heads'] = [];
  let accepted = 0;
  const server = createServer({ keepAliveTimeout: 10_000 }, (request, response) => {
    if (request.url === '/stream') {
      request.pipe(response);
      return;
    }
    const chunks: Buffer[] = [];
    request.on('error', () => undefined);
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      heads.push({
        line: `${request.method} ${request.url} HTTP/${request.httpVersion}`,
        headers: request.rawHeaders,
        trailers: request.rawTrailers,
      });
      answer(request, response, Buffer.concat(chunks));
    });
  });
  server.on('connection', () => {
    accepted += 1;
  });
  const port = await listening(server);
  return {
    port,
    heads,
    get accepted() {
      return accepted;
    },
  };
}

function answer({ url = '' }: IncomingMessage, response: ServerResponse, body: Buffer): void {
  const status = /^\/status\/(\d+)$/.exec(url)?.[1];
  if (status !== undefined) {
    response.writeHead(Number(status), { 'x-status': status });
    response.end();
  } else if (url === '/chunked') {
    response.writeHead(200, { trailer: 'x-sum' });
    response.write(body);
    response.addTrailers({ 'x-sum': String(body.length) });
    response.end();
  } else if (url === '/hints') {
    response.writeEarlyHints({ link: '</style.css>; rel=preload; as=style' });
    response.end('hinted');
  } else {
    response.writeHead(200, { 'content-length': body.length });
    response.end(body);
  }
}

/** Answers each connection once, as it is told, when a head has come; then it ends the connection. */
export async function usePlainServer(reply: string): Promise<Backend> {
  const heads: Backend['heads'] = [];
  let accepted = 0;
  const server = createPlainServer((socket) => {
    let text = '';
    accepted += 1;
    socket.on('error', () => undefined);
    socket.on('data', (bytes: Buffer) => {
      text += bytes.toString('latin1');
      const end = text.indexOf('\r\n\r\n');
      if (end === -1) return;
      const [line = '', ...headers] = text.slice(0, end).split('\r\n');
      heads.push({ line, headers, trailers: [] });
      socket.removeAllListeners('data');
      socket.resume();
      socket.end(reply, 'latin1');
    });
  });
  const port = await listening(server);
  return {
    port,
    heads,
    get accepted() {
      return accepted;
    },
  };
}
