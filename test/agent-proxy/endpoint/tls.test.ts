/** Requests to servers that speak TLS: whom the proxy trusts, and what becomes of a request to one that it does not. */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { send } from '../../fixtures/http.ts';
import { type StaticProxy, useStaticProxy } from '../../fixtures/proxy.ts';
import { client, type Keys, straight } from '../../fixtures/static-config.ts';
import { Certificates } from './certificates.ts';

const certificates = new Certificates();

beforeAll(() => {
  certificates.make('ca', 'an authority');
  certificates.make('server', 'web.test', 'ca');
});
afterAll(() => certificates.remove());

interface Secure {
  readonly port: number;
  readonly connections: Set<Socket>;
}

/** Answers with what it was sent. */
async function useSecureApp(): Promise<Secure> {
  const connections = new Set<Socket>();
  const keys = {
    cert: readFileSync(certificates.file('server.pem')),
    key: readFileSync(certificates.file('server.key')),
  };
  const server = createServer(keys, (request, response) => {
    request.pipe(response);
  });
  server.on('secureConnection', (socket) => {
    connections.add(socket);
    socket.on('close', () => connections.delete(socket));
  });
  server.on('tlsClientError', () => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return { port: (server.address() as AddressInfo).port, connections };
}

function useClient({ port }: Secure, tls: Keys): Promise<StaticProxy> {
  return useStaticProxy(straight({ web: port }, client({ tls })));
}

const POST = { method: 'POST', headers: { Host: 'web' }, body: 'a line, again and again\n'.repeat(20_000) };

test('a server with the right certificate is spoken to, with long bodies both ways, on one connection', async () => {
  const app = await useSecureApp();
  const proxy = await useClient(app, { commonName: 'web.test', trustCerts: [certificates.file('ca.pem')] });
  for (let count = 0; count < 3; count += 1) {
    expect(await send(proxy.url, POST)).toMatchObject({ status: 200, body: POST.body });
  }
  expect(app.connections.size).toBe(1);
});

test.each([
  ['is for another name', { commonName: 'api.test' }],
  ['nobody has signed whom the system trusts', { commonName: 'web.test', trustCerts: undefined }],
])('a server whose certificate %s gets nothing: 502, and why', async (_what, tls) => {
  const app = await useSecureApp();
  const proxy = await useClient(app, { trustCerts: [certificates.file('ca.pem')], ...tls });
  const answer = await send(proxy.url, POST);
  expect(answer.status).toBe(502);
  expect(answer.body).toMatch(/^refused: .*(?:ERR_TLS_CERT_ALTNAME_INVALID|UNABLE_TO|SELF_SIGNED)/);
});

test('a file that is missing stops no start, and is named in each answer', async () => {
  const app = await useSecureApp();
  const proxy = await useClient(app, { commonName: 'web.test', trustCerts: ['/nonexistent/ca.pem'] });
  const answer = await send(proxy.url, POST);
  expect(answer.status).toBe(502);
  expect(answer.body).toContain('/nonexistent/ca.pem cannot be read');
});

test('validation can be turned off', async () => {
  const app = await useSecureApp();
  const proxy = await useClient(app, { disableValidation: true });
  expect(await send(proxy.url, POST)).toMatchObject({ status: 200 });
});

test('all connections are closed at the end', async () => {
  const app = await useSecureApp();
  const proxy = await useClient(app, { disableValidation: true });
  await send(proxy.url, POST);
  await proxy.close();
  await expect.poll(() => app.connections.size).toBe(0);
});
