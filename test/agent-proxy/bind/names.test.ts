/** Names over real sockets: weights, dtabs of requests, names that change, and as many names as anybody cares to send. */
import { expect, test } from 'vitest';
import { useBackend } from '../../fixtures/backend.ts';
import { eventually } from '../../fixtures/eventually.ts';
import { send } from '../../fixtures/http.ts';
import { type StaticProxy, useStaticProxy } from '../../fixtures/proxy.ts';
import { ok, type RawBackend, rawClient, useAnsweringBackend } from '../../fixtures/raw-socket.ts';
import { routed, straight, useNames } from '../../fixtures/static-config.ts';

function useApp(name: string): Promise<RawBackend> {
  return useAnsweringBackend(() => ok(name));
}

/** The bodies of the answers to so many requests on one connection. */
async function bodies(proxy: StaticProxy, host: string, count: number, lines = ''): Promise<string[]> {
  const one = rawClient(proxy.url, `GET / HTTP/1.1\r\nHost: ${host}\r\n${lines}\r\n`.repeat(count));
  const text = await one.until(
    'all are answered',
    (all) => all.match(/HTTP\/1\.1 /g)?.length === count && !all.endsWith('\r\n\r\n'),
    15_000,
  );
  return text.split(/HTTP\/1\.1 \d+ [^\r]*\r\n(?:[^\r]+\r\n)*\r\n/).slice(1);
}

function share(all: readonly string[], body: string): number {
  return all.filter((one) => one === body).length / all.length;
}

test('a union sends each of its branches its share', async () => {
  const [a, b] = [await useApp('a'), await useApp('b')];
  const proxy = await useStaticProxy(
    routed(`/svc/web => 1 * /$/inet/127.0.0.1/${a.port} & 3 * /$/inet/127.0.0.1/${b.port}`),
  );
  const all = await bodies(proxy, 'web', 2_000);
  expect(share(all, 'a')).toBeGreaterThan(0.2);
  expect(share(all, 'a')).toBeLessThan(0.3);
  expect(share(all, 'a') + share(all, 'b')).toBe(1);
});

test('where the first of two alternatives is nothing, the second is taken', async () => {
  const app = await useApp('second');
  const names = await useNames({});
  const proxy = await useStaticProxy(
    names.config({ dtab: `/svc => /#/io.l5d.fs/none | /$/inet/127.0.0.1/${app.port}` }),
  );
  expect(await bodies(proxy, 'web', 2)).toEqual(['second', 'second']);
});

test("a request's own dtab holds for that request and no other, not even on the same connection", async () => {
  const [web, other] = [await useApp('web'), await useApp('other')];
  const proxy = await useStaticProxy(straight({ web: web.port, other: other.port }));
  const plain = 'GET / HTTP/1.1\r\nHost: web\r\n\r\n';
  const own = 'GET / HTTP/1.1\r\nHost: web\r\nl5d-dtab: /svc/web => /svc/other\r\n\r\n';
  const one = rawClient(proxy.url, plain + own + plain + own + plain);
  const text = await one.until(
    'all are answered',
    (all) => all.match(/HTTP\/1\.1 200/g)?.length === 5 && all.endsWith('web'),
  );
  expect(text.match(/(?:web|other)(?=HTTP|$)/g)).toEqual(['web', 'other', 'web', 'other', 'web']);
});

test('localDtab says what a dtab of a request may do', async () => {
  const [web, other] = [await useApp('web'), await useApp('other')];
  const dtab = `l5d-dtab: /svc/web => /$/inet/127.0.0.1/${other.port}\r\n`;
  const may = async (localDtab: string): Promise<string[]> => {
    const proxy = await useStaticProxy(straight({ web: web.port }, { nodemesh: { localDtab } }));
    return await bodies(proxy, 'web', 1, dtab);
  };
  expect(await may('any')).toEqual(['other']);
  expect(await may('ignore')).toEqual(['web']);
  expect((await may('names'))[0]).toMatch(/^[a-z-]+: /);
});

test('an address that comes, goes or moves is followed, and nothing is lost on the way', async () => {
  const [one, two] = [await useApp('one'), await useApp('two')];
  const names = await useNames({ web: [one.port] });
  const proxy = await useStaticProxy(names.config());
  const ask = async (): Promise<string> => {
    const { status, body } = await send(proxy.url, { headers: { Host: 'web' } });
    expect(status).toBe(200);
    return body;
  };
  expect(await ask()).toBe('one');
  await names.set('web', [one.port, two.port]);
  await eventually('the new one gets its share', async () => (await ask()) === 'two');
  await names.set('web', [two.port]);
  await eventually('the old one gets nothing', async () => {
    const all = await Promise.all(Array.from({ length: 10 }, ask));
    return all.every((body) => body === 'two');
  });
  await eventually('its connections are closed', () =>
    one.connections.every(({ isClosed, hasEnded }) => isClosed || hasEnded),
  );
});

test('a name that is unknown when it is first asked for is found when it comes', async () => {
  const app = await useApp('late');
  const names = await useNames({});
  const proxy = await useStaticProxy(names.config());
  expect(await send(proxy.url, { headers: { Host: 'web' } })).toMatchObject({ status: 502 });
  await names.set('web', [app.port]);
  await eventually('it is found', async () => (await send(proxy.url, { headers: { Host: 'web' } })).body === 'late');
});

test('an endpoint that leaves finishes what it has', async () => {
  const held: (() => void)[] = [];
  const leaving = await useBackend('leaving', {
    raw: (_request, response) => held.push(() => response.end('finished')),
  });
  const staying = await useApp('staying');
  const names = await useNames({ web: [leaving.port] });
  const proxy = await useStaticProxy(names.config());
  const answer = send(proxy.url, { headers: { Host: 'web' } });
  await eventually('it arrives', () => held.length === 1);
  await names.set('web', [staying.port]);
  await eventually('the other has taken over', async () => {
    const { body } = await send(proxy.url, { headers: { Host: 'web' }, timeoutMs: 300 }).catch(() => ({ body: '' }));
    return body === 'staying';
  });
  held[0]?.();
  expect(await answer).toMatchObject({ status: 200, body: 'finished' });
});

test('twenty thousand names stay bounded, and the known one among them stays known', async () => {
  const app = await useApp('web');
  const proxy = await useStaticProxy(straight({ web: app.port }, { bindingCache: { paths: 100 } }));
  expect(await bodies(proxy, 'web', 1)).toEqual(['web']);
  const figures = async (): Promise<Record<string, number>> =>
    JSON.parse((await send(`${proxy.admin}/admin/metrics.json`)).body) as Record<string, number>;
  const scan = async (from: number): Promise<void> => {
    const heads = Array.from({ length: 500 }, (_, index) => `GET / HTTP/1.1\r\nHost: n${from + index}\r\n\r\n`);
    const one = rawClient(proxy.url, heads.join(''));
    await one.until('all are answered', (text) => text.match(/^unknown-name: /gm)?.length === 500, 15_000);
    one.socket.destroy();
  };
  await scan(0);
  global.gc?.();
  const before = Object.keys(await figures()).length;
  for (let from = 500; from < 20_000; from += 500) await scan(from);
  const after = await figures();
  expect(Object.keys(after).length).toBeLessThan(before + 10);
  expect(after['rt/http/bindcache/path/evicts']).toBeGreaterThan(19_000);
  expect(await bodies(proxy, 'web', 1)).toEqual(['web']);
  expect((await figures())['rt/http/bindcache/path/misses']).toBe(after['rt/http/bindcache/path/misses']);
}, 60_000);
