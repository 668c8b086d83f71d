/** Marathon behind a login: the token goes along, is renewed when it is refused, and never leaves TLS. */
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { MarathonClient } from '../../../scheduler/discovery/marathon-client.ts';
import { Certificates } from '../../agent-proxy/endpoint/certificates.ts';

let server: Server;
let base: string;
let answer: (request: IncomingMessage, response: ServerResponse) => void;
const asked: (string | undefined)[] = [];
const clients: MarathonClient[] = [];

beforeEach(async () => {
  asked.length = 0;
  server = createServer((request, response) => {
    asked.push(request.headers.authorization);
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterEach(async () => {
  for (const client of clients.splice(0)) await client.close();
  await new Promise((resolve) => server.close(resolve));
});

function client(tokens: string[]): MarathonClient {
  const authorization = {
    principal: null,
    header: () => Promise.resolve(tokens[0] ?? null),
    renewed: (refused: string | null) => Promise.resolve(tokens[tokens.indexOf(refused ?? '') + 1] ?? null),
  };
  const made = new MarathonClient(base, { authorization });
  clients.push(made);
  return made;
}

async function apps(from: MarathonClient): Promise<unknown[]> {
  const all: unknown[] = [];
  for await (const app of from.apps(new AbortController().signal)) all.push(app);
  return all;
}

describe('a login', () => {
  test('goes along with every request', async () => {
    answer = (_request, response) => void response.end('{"apps":[]}');
    expect(await apps(client(['token=a']))).toEqual([]);
    expect(asked).toEqual(['token=a']);
  });

  test('D21: is renewed once when it is refused', async () => {
    answer = (request, response) => {
      response.writeHead(request.headers.authorization === 'token=b' ? 200 : 401).end('{"apps":[]}');
    };
    expect(await apps(client(['token=a', 'token=b']))).toEqual([]);
    expect(asked).toEqual(['token=a', 'token=b']);
    await expect(apps(client(['token=c', 'token=d', 'token=b']))).rejects.toThrow('Marathon answered 401');
    expect(asked.slice(2)).toEqual(['token=c', 'token=d']);
  });

  test('that fails is told as a failure of the request', async () => {
    const failing = new MarathonClient(base, {
      authorization: {
        principal: null,
        header: () => Promise.reject(new Error('the login endpoint does not answer')),
        renewed: () => Promise.resolve(null),
      },
    });
    clients.push(failing);
    await expect(apps(failing)).rejects.toThrow('GET /v2/apps?embed=apps.tasks&embed=apps.readiness failed: the login');
  });

  test('follows to the leader', async () => {
    answer = (request, response) => {
      if (request.url?.startsWith('/leader') === true) response.end('{"apps":[]}');
      else response.writeHead(307, { location: `${base}/leader` }).end();
    };
    expect(await apps(client(['token=a']))).toEqual([]);
    expect(asked).toEqual(['token=a', 'token=a']);
  });
});

test('with a CA of its own Marathon is trusted, and a token goes nowhere without TLS', async () => {
  const certificates = new Certificates();
  certificates.make('authority', 'an authority');
  certificates.make('marathon', 'localhost', 'authority');
  const read = (name: string) => readFileSync(certificates.file(name), 'utf8');
  const secure = createTlsServer({ key: read('marathon.key'), cert: read('marathon.pem') }, (request, response) => {
    asked.push(`tls ${request.headers.authorization}`);
    response.writeHead(307, { location: `${base}/v2/apps` }).end();
  });
  await new Promise<void>((resolve) => secure.listen(0, '127.0.0.1', resolve));
  try {
    answer = (_request, response) => void response.end('{"apps":[]}');
    const { port } = secure.address() as AddressInfo;
    const authorization = {
      principal: null,
      header: () => Promise.resolve('token=a'),
      renewed: () => Promise.resolve(null),
    };
    const trusting = new MarathonClient(`https://localhost:${port}`, {
      authorization,
      tls: { ca: read('authority.pem') },
    });
    const doubting = new MarathonClient(`https://localhost:${port}`, { authorization });
    clients.push(trusting, doubting);
    expect(await apps(trusting)).toEqual([]);
    expect(asked).toEqual(['tls token=a', undefined]);
    await expect(apps(doubting)).rejects.toThrow(/certificate/);
  } finally {
    await new Promise((resolve) => {
      secure.close(resolve);
      secure.closeAllConnections();
    });
    certificates.remove();
  }
});
