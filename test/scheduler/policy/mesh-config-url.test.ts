/** The configuration of the proxies from a server. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { fetchMeshConfig } from '../../../scheduler/policy/mesh-config-url.ts';

let server: Server;
let url: string;

beforeEach(async () => {
  server = createServer((request, response) => {
    const [path = '', query] = (request.url ?? '').split('?');
    const hops = Number(/^\/hop(\d)$/.exec(path)?.[1] ?? -1);
    if (hops > 0) response.writeHead(302, { location: `/hop${hops - 1}?${query}` }).end();
    else if (hops === 0 && query === 'token=hidden') response.end('routers: []\n');
    else if (path === '/large') response.end(Buffer.alloc(600_000, '#'));
    else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

test('is fetched, also where a server sends on to another place', async () => {
  expect(await fetchMeshConfig(`${url}/hop0?token=hidden`)).toBe('routers: []\n');
  expect(await fetchMeshConfig(`${url}/hop3?token=hidden`)).toBe('routers: []\n');
});

test('what cannot be had is told without the query, in which tokens stand', async () => {
  await expect(fetchMeshConfig(`${url}/hop4?token=hidden`)).rejects.toThrow(`${url}/hop4?… answers 302`);
  await expect(fetchMeshConfig(`${url}/none?token=hidden`)).rejects.toThrow(`${url}/none?… answers 404`);
  await expect(fetchMeshConfig(`${url}/large`)).rejects.toThrow(`${url}/large answers with more than`);
  await expect(fetchMeshConfig('http://127.0.0.1:1/?token=hidden')).rejects.toThrow(
    /^http:\/\/127\.0\.0\.1:1\/\?… does not answer \((?!.*hidden)/,
  );
});
