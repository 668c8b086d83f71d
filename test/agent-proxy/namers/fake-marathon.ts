/** A Marathon of the test's making: what it answers to the list and to each app, and what it was asked. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createSecureServer, type ServerOptions } from 'node:https';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

export interface Answer {
  readonly status?: number;
  /** An object is sent as JSON. */
  readonly body?: unknown;
  /** Answered when it resolves. */
  readonly after?: Promise<void>;
}

export type Answers = (request: IncomingMessage, body: string) => Answer;

export interface FakeMarathon {
  readonly port: number;
  /** Method and path of each request, with its `Authorization`. */
  readonly requests: { readonly what: string; readonly host: string; readonly authorization: string | null }[];
  /** Open connections. */
  connections(): Promise<number>;
  /** The answer to a path (without its query); 404 where there is none. */
  answers: Map<string, Answer | Answers>;
  /** Destroys every connection, and new ones as they come. */
  down(): void;
  up(): void;
  /** Connections that were destroyed as they came. */
  refused: number;
  count(what: string): number;
}

/** `tls` makes it speak HTTPS. */
export async function fakeMarathon(tls: ServerOptions | null = null): Promise<FakeMarathon> {
  const requests: FakeMarathon['requests'] = [];
  const answers: FakeMarathon['answers'] = new Map();
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    const path = request.url?.split('?')[0] ?? '';
    const { host = '', authorization = null } = request.headers;
    requests.push({ what: `${request.method} ${path}`, host, authorization });
    const given = answers.get(path) ?? { status: 404, body: { message: 'no such thing' } };
    const answer = typeof given === 'function' ? given(request, body) : given;
    await answer.after;
    response.writeHead(answer.status ?? 200, { 'content-type': 'application/json' });
    response.end(typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body ?? {}));
  };
  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    handle(request, response).catch(() => response.destroy());
  };
  const server = tls === null ? createServer(listener) : createSecureServer(tls, listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  onTestFinished(
    () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  );
  let isDown = false;
  server.on('connection', (socket) => {
    if (!isDown) return;
    marathon.refused += 1;
    socket.destroy();
  });
  const marathon: FakeMarathon = {
    port,
    requests,
    answers,
    connections: () => new Promise((resolve) => server.getConnections((_error, count) => resolve(count))),
    down: () => {
      isDown = true;
      server.closeAllConnections();
    },
    up: () => {
      isDown = false;
    },
    refused: 0,
    count: (what) => requests.filter((request) => request.what === what).length,
  };
  return marathon;
}

export function apps(...ids: string[]): Answer {
  return {
    body: {
      apps: ids.map((id) => ({ id: `/${id}`, cmd: 'id "\\"', labels: { id: '/wrong' }, tasks: [{ id: 'no' }] })),
    },
  };
}

/** An app in host mode, with a running task at each address, or as the test has it. */
export function app(id: string, addresses: readonly string[], more: object = {}): Answer {
  const tasks = addresses.map((address, index) => {
    const [host, port] = address.split(':');
    return {
      id: `${id}.${index}`,
      slaveId: 'S1',
      host,
      ports: [Number(port), Number(port) + 1],
      state: 'TASK_RUNNING',
    };
  });
  return { body: { app: { id: `/${id}`, tasks, ...more } } };
}
