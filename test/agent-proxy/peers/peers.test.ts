/** The proxy between programs of other people: what one sends, the other gets, byte by byte. */
import { randomBytes } from 'node:crypto';
import { describe, expect, it, onTestFinished } from 'vitest';
import { configTo, exchangeRaw, type StandaloneProxy, startProxy } from '../../fixtures/standalone-proxy.ts';
import { CLIENTS, curl } from './clients.ts';
import { useNodeServer, usePlainServer } from './servers.ts';

const TEN_MB = randomBytes(10_000_000);
const QUIET_MS = 400;

async function useProxyTo(port: number): Promise<StandaloneProxy> {
  const proxy = await startProxy(configTo(port));
  onTestFinished(proxy.close);
  return proxy;
}

describe.each(CLIENTS)('$name, to node:http,', ({ ask }) => {
  it('gets an answer without a body of its own', async () => {
    const backend = await useNodeServer();
    const proxy = await useProxyTo(backend.port);
    const answer = await ask(proxy.url, { method: 'GET', path: '/length?a=b' });
    expect(answer.status).toBe(200);
    expect(answer.body.length).toBe(0);
    expect(backend.heads[0]?.line).toBe('GET /length?a=b HTTP/1.1');
    expect(backend.heads[0]?.headers.join(' ')).toContain('web.example');
  });

  it.each([
    ['/length', false],
    ['/length', true],
    ['/chunked', false],
    ['/chunked', true],
    ['/stream', true],
  ])('posts a body to %s (chunked: %s) and gets it back', async (path, chunked) => {
    const backend = await useNodeServer();
    const proxy = await useProxyTo(backend.port);
    const body = randomBytes(100_000);
    const answer = await ask(proxy.url, { method: 'POST', path, body, chunked });
    expect(answer.status).toBe(200);
    expect(answer.body.equals(body)).toBe(true);
  });

  it('posts ten megabytes and gets them back', async () => {
    const backend = await useNodeServer();
    const proxy = await useProxyTo(backend.port);
    for (const [path, chunked] of [
      ['/length', false],
      ['/stream', true],
    ] as const) {
      const answer = await ask(proxy.url, { method: 'PUT', path, body: TEN_MB, chunked });
      expect(answer.body.equals(TEN_MB)).toBe(true);
    }
  });

  it('asks for a head alone', async () => {
    const backend = await useNodeServer();
    const proxy = await useProxyTo(backend.port);
    const answer = await ask(proxy.url, { method: 'HEAD', path: '/length' });
    expect(answer).toMatchObject({ status: 200 });
    expect(answer.header('content-length')).toBe('0');
    expect(answer.body.length).toBe(0);
  });

  it.each([204, 304, 404, 500])('gets status %s', async (status) => {
    const backend = await useNodeServer();
    const proxy = await useProxyTo(backend.port);
    const answer = await ask(proxy.url, { method: 'POST', path: `/status/${status}` });
    expect(answer.status).toBe(status);
    expect(answer.header('x-status')).toBe(String(status));
    expect(answer.body.length).toBe(0);
  });

  it('gets the answer behind an early hint', async () => {
    const backend = await useNodeServer();
    const proxy = await useProxyTo(backend.port);
    const answer = await ask(proxy.url, { method: 'GET', path: '/hints' });
    expect(answer.body.toString()).toBe('hinted');
  });
});

// undici has no expectations.
describe.each(CLIENTS.filter(({ name }) => name !== 'undici'))('$name', ({ ask }) => {
  it('is told to go on where it expects to be', async () => {
    const backend = await useNodeServer();
    const proxy = await useProxyTo(backend.port);
    const headers = { expect: '100-continue' };
    const answer = await ask(proxy.url, { method: 'POST', path: '/length', body: Buffer.from('went on'), headers });
    expect(answer.body.toString()).toBe('went on');
  });
});

describe.each(CLIENTS)('$name, to a plain server,', ({ ask }) => {
  it.each([
    ['a body that ends with its connection', 'HTTP/1.1 200 OK\r\n\r\nuntil the end', 'until the end'],
    ['HTTP/1.0', 'HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nold', 'old'],
    ['no reason', 'HTTP/1.1 200\r\nContent-Length: 3\r\n\r\nyes', 'yes'],
    ['chunks', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n0\r\nT: 1\r\n\r\n', 'abc'],
  ])('gets %s', async (_what, reply, body) => {
    const backend = await usePlainServer(reply);
    const proxy = await useProxyTo(backend.port);
    const answer = await ask(proxy.url, { method: 'GET', path: '/' });
    expect(answer.status).toBe(200);
    expect(answer.body.toString()).toBe(body);
  });

  it('sees a bad response as 502', async () => {
    const backend = await usePlainServer('HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab');
    const proxy = await useProxyTo(backend.port);
    expect((await ask(proxy.url, { method: 'POST', path: '/', body: Buffer.from('x') })).status).toBe(502);
  });

  it('sees a response that is cut short as no response', async () => {
    const backend = await usePlainServer('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc');
    const proxy = await useProxyTo(backend.port);
    await expect(ask(proxy.url, { method: 'GET', path: '/' })).rejects.toThrow();
  });
});

describe('curl', () => {
  it('uses it as its proxy: the URL says the host', async () => {
    const backend = await useNodeServer();
    const proxy = await useProxyTo(backend.port);
    const answer = await curl(['--proxy', proxy.url, 'http://other.example/length?x']);
    expect(answer.status).toBe(200);
    expect(backend.heads[0]?.line).toBe('GET /length?x HTTP/1.1');
    expect(backend.heads[0]?.headers).toContain('other.example');
  });

  it('speaks HTTP/1.0, and gets no chunks', async () => {
    const backend = await useNodeServer();
    const proxy = await useProxyTo(backend.port);
    const answer = await curl(['--http1.0', '--data-binary', 'abc', `${proxy.url}/chunked`, '-H', 'Host: a']);
    expect(answer.header('transfer-encoding')).toBeUndefined();
    expect(answer.body.toString()).toBe('abc');
  });
});

describe('a raw client', () => {
  it('pipelines requests, and gets the answers in their order', async () => {
    const backend = await useNodeServer();
    const proxy = await useProxyTo(backend.port);
    const post = (body: string): string =>
      `POST /length HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    const answer = await exchangeRaw(proxy.port, post('<one>') + post('<two>') + post('<three>'), QUIET_MS);
    expect(answer.match(/<\w+>/g)).toEqual(['<one>', '<two>', '<three>']);
  });

  it('has its trailers passed on, and gets those of the answer', async () => {
    const backend = await useNodeServer();
    const proxy = await useProxyTo(backend.port);
    const request =
      'POST /chunked HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-Of-Client: 1\r\n\r\n';
    const answer = await exchangeRaw(proxy.port, request, QUIET_MS);
    expect(backend.heads[0]?.trailers).toEqual(['X-Of-Client', '1']);
    expect(answer).toMatch(/\r\n0\r\nx-sum: 3\r\n\r\n$/);
  });

  it('of HTTP/1.0 keeps its connection where it asks to', async () => {
    const backend = await useNodeServer();
    const proxy = await useProxyTo(backend.port);
    const request = 'GET /length HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n';
    const answer = await exchangeRaw(proxy.port, request + request, QUIET_MS);
    expect(answer.match(/^Connection: keep-alive\r$/gm)).toHaveLength(2);
  });

  it('gets an early hint before its answer, but not in HTTP/1.0', async () => {
    const backend = await useNodeServer();
    const proxy = await useProxyTo(backend.port);
    const request = 'GET /hints HTTP/1.1\r\nHost: a\r\n\r\n';
    expect(await exchangeRaw(proxy.port, request, QUIET_MS)).toMatch(/^HTTP\/1\.1 103 [\s\S]*\r\n\r\nHTTP\/1\.1 200 /);
    expect(await exchangeRaw(proxy.port, request.replace('1.1', '1.0'), QUIET_MS)).toMatch(/^HTTP\/1\.1 200 /);
  });

  it('shares a few connections to the server with others', async () => {
    const backend = await useNodeServer();
    const proxy = await useProxyTo(backend.port);
    const request = 'GET /length HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';
    for (let count = 0; count < 20; count += 1) await exchangeRaw(proxy.port, request, QUIET_MS);
    expect(backend.heads).toHaveLength(20);
    expect(backend.accepted).toBe(1);
  });

  it('that sends a bad request gets its status, and the server sees nothing', async () => {
    const backend = await useNodeServer();
    const proxy = await useProxyTo(backend.port);
    const request =
      'POST /length HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n';
    const answer = await exchangeRaw(proxy.port, request, QUIET_MS);
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(answer).toMatch(/^Connection: close\r$/m);
    expect(backend.accepted).toBe(0);
  });
});
