/** The configuration of the proxies over HTTP: what is taken, what is refused and how, and what is remembered. */
import { createServer } from 'node:http';
import { afterEach, describe, expect, test } from 'vitest';
import { eventually } from '../../fixtures/eventually.ts';
import { taskId } from '../support/fake-framework.ts';
import { useScheduler } from '../support/use-scheduler.ts';

const use = useScheduler();
const S1 = { taskId: taskId('p1'), ip: '127.0.36.1' };
const GOOD = { routers: [{ label: 'outgoing', servers: [{ maxCallDepth: 9 }] }, { label: 'incoming' }] };
const QUICK = 'window=0s&minRequests=0&steps=100&canary=1';

const servers: ReturnType<typeof createServer>[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

/** Something answers on the ports that proxies have. */
async function useListeners(...ports: number[]): Promise<string> {
  for (const port of ports) {
    const server = createServer((_request, response) => response.end());
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(port, '127.0.36.1', resolve));
  }
  return '--ports=out=24140,in=24141,admin=24990';
}

interface Answer {
  status: number;
  json: Record<string, unknown>;
}

async function ask(url: string, method: string, path: string, body?: unknown, headers: object = {}): Promise<Answer> {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const type = typeof body === 'string' ? 'application/yaml' : 'application/json';
  const response = await fetch(`${url}${path}`, {
    method,
    headers: { 'content-type': type, ...headers },
    ...(body === undefined ? {} : { body: text }),
  });
  return { status: response.status, json: (await response.json()) as Record<string, unknown> };
}

describe('GET', () => {
  test('shows the defaults in full as revision 1', async () => {
    const { url, get } = await use.start();
    const { json, headers, status } = await get('/v1/config');
    expect(status).toBe(200);
    expect(headers.get('etag')).toBe('"1"');
    expect(json).toMatchObject({
      ...{ revision: 1, status: 'completed', note: 'the defaults', rollingOut: null },
      config: { routers: [{ label: 'outgoing', servers: [{ port: 4140 }] }, { label: 'incoming' }, { label: 'edge' }] },
    });
    expect((await ask(url, 'GET', '/v1/config/revisions')).json).toMatchObject([{ revision: 1 }]);
    expect((await ask(url, 'GET', '/v1/config/revisions/7')).status).toBe(404);
    expect((await get('/v1/plans/config')).status).toBe(404);
  });
});

describe('PUT', () => {
  test('refuses what is not valid, with the place of each fault', async () => {
    const { url } = await use.start();
    const { status, json } = await ask(url, 'PUT', '/v1/config', 'routers:\n- label: outgoing\n  clinet: {}\n');
    expect(status).toBe(400);
    expect(json).toMatchObject({
      error: "the configuration is not valid: routers[0].clinet: unknown key; did you mean 'client'?",
      errors: [{ path: 'routers[0].clinet', line: 3, column: 3 }],
    });
    const notJson = await ask(url, 'PUT', '/v1/config', 'a: 1', { 'content-type': 'application/json' });
    expect(notJson).toMatchObject({ status: 400, json: { errors: [{ path: '' }] } });
  });

  test.each([
    ['steps=0', 'steps'],
    ['steps=10,x', 'steps'],
    ['window=soon', 'window'],
    ['canary=-1', 'canary'],
    ['maxUnavailable=0', 'maxUnavailable'],
    ['note=a&note=b', 'note'],
  ])('refuses ?%s', async (query, name) => {
    const { url } = await use.start();
    const { status, json } = await ask(url, 'PUT', `/v1/config?${query}`, GOOD);
    expect([status, json['error']]).toEqual([400, expect.stringContaining(name)]);
  });

  test('takes YAML, sends it to a canary first, and takes no other meanwhile; who looked at another is told so', async () => {
    const { url, client, logs } = await use.start({ nodes: { S1 } });
    const proxy = client('S1', 'p1');
    await eventually('a table', () => proxy.table.ready);
    expect(await proxy.report()).toBe(204);
    const text = '# deeper\nrouters:\n- label: outgoing\n  servers: [{maxCallDepth: 9}]\n- label: incoming\n';
    expect((await ask(url, 'PUT', '/v1/config', text, { 'if-match': '"7"' })).status).toBe(412);
    const taken = await ask(url, 'PUT', '/v1/config?note=deeper&author=ann', text, { 'if-match': '"1"' });
    expect(taken).toEqual({ status: 202, json: { revision: 2, plan: 'config', warnings: [] } });
    expect((await ask(url, 'PUT', '/v1/config', GOOD)).status).toBe(409);
    const [found] = (await ask(url, 'GET', '/v1/config/revisions')).json as never as object[];
    expect(found).toMatchObject({ revision: 2, author: 'ann', note: 'deeper', from: 1, status: 'running' });
    expect((await ask(url, 'GET', '/v1/config')).json).toMatchObject({ revision: 1, rollingOut: 2 });
    expect((await ask(url, 'GET', '/v1/config/revisions/2')).json).toMatchObject({
      config: GOOD,
      effective: { routers: [{ label: 'outgoing', servers: [{ maxCallDepth: 9, port: 4140 }] }, {}, {}] },
      diff: [{ path: 'routers', after: expect.anything() }],
    });
    await eventually('it is told', () => proxy.frames('config').some(({ configRevision }) => configRevision === 2));
    expect(logs.some((line) => line.startsWith('a configuration goes out'))).toBe(true);
    const plan = await ask(url, 'GET', '/v1/plans/config');
    expect(plan).toMatchObject({
      status: 202,
      json: { status: 'IN_PROGRESS', phases: [{ name: 'canary' }, {}, {}, {}] },
    });
    expect((await ask(url, 'POST', '/v1/plans/config/interrupt')).status).toBe(200);
    expect((await ask(url, 'POST', '/v1/plans/config/interrupt')).status).toBe(208);
    expect((await ask(url, 'POST', '/v1/config/abort')).status).toBe(202);
    await eventually('it is over', async () => (await ask(url, 'GET', '/v1/plans/config')).status === 417 || null);
    expect((await ask(url, 'POST', '/v1/config/abort')).status).toBe(409);
  });
});

test('a revision that nothing is against goes everywhere, holds over a restart, and can be taken back', async () => {
  const ports = await useListeners(24_140, 24_141, 24_990);
  const first = await use.start({ args: [ports], nodes: { S1 } });
  const serve = (scheduler: typeof first) => {
    const proxy = scheduler.client('S1', 'p1');
    const run = (): void => {
      const revision = proxy.frames('config').at(-1)?.configRevision;
      if (revision !== undefined && proxy.table.ready) void proxy.report({ ready: true, configRevision: revision });
    };
    const timer = setInterval(run, 50);
    return () => clearInterval(timer);
  };
  let rest = serve(first);
  try {
    await eventually('it is healthy', () => first.framework.told.some(({ healthy }) => healthy));
    expect((await ask(first.url, 'PUT', `/v1/config?${QUICK}`, GOOD)).status).toBe(202);
    await eventually('it completes', async () => {
      const { json } = await ask(first.url, 'GET', '/v1/config');
      return json['revision'] === 2 && json['rollingOut'] === null;
    });
    rest();
    await first.stop();
    const second = await use.start({ args: [ports], nodes: { S1 } });
    expect((await ask(second.url, 'GET', '/v1/config')).json).toMatchObject({
      revision: 2,
      status: 'completed',
      config: GOOD,
    });
    rest = serve(second);
    await eventually('it is healthy again', () => second.framework.told.some(({ healthy }) => healthy));
    const back = await ask(second.url, 'POST', `/v1/config/rollback?${QUICK}`, { revision: 1 });
    expect(back).toMatchObject({ status: 202, json: { revision: 3 } });
    await eventually('it is back', async () => (await ask(second.url, 'GET', '/v1/config')).json['revision'] === 3);
    const now = (await ask(second.url, 'GET', '/v1/config/revisions/3')).json;
    expect(now).toMatchObject({ rollbackOf: 1, note: 'back to revision 1', status: 'completed' });
    expect((await ask(second.url, 'POST', '/v1/config/rollback', { revision: 3 })).status).toBe(409);
  } finally {
    rest();
  }
});

test('a listener that does not answer turns it back, and it is not given to who comes later', async () => {
  const ports = await useListeners(24_140, 24_990);
  const scheduler = await use.start({ args: [ports], nodes: { S1 } });
  const proxy = scheduler.client('S1', 'p1');
  await eventually('a table', () => proxy.table.ready);
  const timer = setInterval(() => {
    void proxy.report({ ready: true, configRevision: proxy.frames('config').at(-1)?.configRevision ?? 1 });
  }, 50);
  try {
    await eventually('it is healthy', () => scheduler.framework.told.some(({ healthy }) => healthy));
    expect((await ask(scheduler.url, 'PUT', `/v1/config?${QUICK}`, GOOD)).status).toBe(202);
    const bad = await eventually(
      'it is turned back',
      async () => {
        const { json } = await ask(scheduler.url, 'GET', '/v1/config/revisions/2');
        return json['status'] === 'bad' ? json : null;
      },
      10_000,
    );
    expect(bad['why']).toMatch(/does not answer with it: no answer at 127\.0\.36\.1:24141 \(ECONNREFUSED\)$/);
    await eventually('it is told to go back', () => proxy.frames('config').at(-1)?.configRevision === 1);
    const late = scheduler.client('S9', 'p9');
    await eventually('it is told', () => late.frames('config').length > 0);
    expect(late.frames('config')).toMatchObject([{ configRevision: 1 }]);
    expect((await ask(scheduler.url, 'POST', '/v1/config/rollback', { revision: 2 })).status).toBe(409);
    const { status, json } = await ask(scheduler.url, 'GET', '/v1/plans/config');
    expect([status, json['errors']]).toEqual([417, [expect.stringContaining('turned back to 1')]]);
  } finally {
    clearInterval(timer);
  }
});
