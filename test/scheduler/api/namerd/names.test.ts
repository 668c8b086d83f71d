/** namerd's `bind`, `addr`, `resolve`, `delegate` and `bound-names` over real HTTP, and linkerd's interpreter on top of them. */
import { describe, expect, test } from 'vitest';
import { eventually } from '../../../fixtures/eventually.ts';
import { NamerdInterpreter, Watch } from '../../support/namerd-client.ts';
import { type SchedulerUnderTest, useScheduler } from '../../support/use-scheduler.ts';

const use = useScheduler();
const DTAB = { 'content-type': 'application/dtab' };

const put = async ({ url }: SchedulerUnderTest, ns: string, body: string, query = '') => {
  const response = await fetch(`${url}/api/1/dtabs/${ns}${query}`, { method: 'PUT', headers: DTAB, body });
  return { status: response.status, text: await response.text() };
};

/** Two apps: `web` with two instances, `team/api` with one. */
async function withApps(): Promise<SchedulerUnderTest> {
  use.marathon.put('web', [
    { id: 'web.1', port: 21_001 },
    { id: 'web.2', port: 21_002 },
  ]);
  use.marathon.put('team/api', [{ id: 'api.1', port: 22_001 }]);
  const scheduler = await use.start({ nodes: { S1: {} } });
  await eventually('both apps', async () => ((await scheduler.get('/v1/services')).json as unknown[]).length === 2);
  await put(scheduler, 'ns', '/svc => /#/io.l5d.marathon');
  return scheduler;
}

const query = (parameters: Record<string, string>) => new URLSearchParams(parameters).toString();
const addrOf = (...ports: number[]) => ({
  type: 'bound',
  addrs: ports.map((port) => ({ ip: '127.0.36.1', port, meta: {} })),
  meta: {},
});
const leafOf = (id: string, path: string, ...ports: number[]) => ({
  type: 'leaf',
  bound: { addr: addrOf(...ports), id, path },
});

describe('bind', () => {
  test('is the bound tree with its addresses, one JSON document and a newline', async () => {
    const scheduler = await withApps();
    const bind = (parameters: Record<string, string>) => scheduler.get(`/api/1/bind/ns?${query(parameters)}`);
    const { status, text, json } = await bind({ path: '/svc/web' });
    expect(status).toBe(200);
    expect(text.endsWith('}\n')).toBe(true);
    expect(json).toEqual(leafOf('/#/io.l5d.marathon/web', '/', 21_001, 21_002));
    expect((await bind({ path: '/svc/team/api/v1' })).json).toEqual(
      leafOf('/#/io.l5d.marathon/team/api', '/v1', 22_001),
    );
    expect((await bind({ path: '/svc/nobody' })).json).toEqual({ type: 'neg' });
    expect((await bind({ path: '/svc/web', dtab: '/svc => !' })).json).toEqual({ type: 'fail' });
    expect((await bind({ path: '/svc/web', dtab: '/svc => $' })).json).toEqual({ type: 'empty' });
    expect(
      (await bind({ path: '/svc/web', dtab: '/svc/web => 1 * /svc/team/api & 3 * /#/io.l5d.marathon/web' })).json,
    ).toEqual({
      type: 'union',
      union: [
        { weight: 1, tree: leafOf('/#/io.l5d.marathon/team/api', '/', 22_001) },
        { weight: 3, tree: leafOf('/#/io.l5d.marathon/web', '/', 21_001, 21_002) },
      ],
    });
    expect((await scheduler.get(`/api/1/bind/nowhere?${query({ path: '/svc/web' })}`)).json).toEqual({ type: 'neg' });
    expect((await bind({ path: '/$/inet/127.0.0.1/80' })).json).toMatchObject({
      bound: { addr: { addrs: [{ ip: '127.0.0.1', port: 80 }] } },
    });
  });

  test('of what is no path, or no dtab, is 400; of a circle 500 with the reason', async () => {
    const scheduler = await withApps();
    const bind = (text: string) => scheduler.get(`/api/1/bind/ns${text}`);
    expect((await bind('?path=invalid-param')).json).toMatchObject({
      error: expect.stringContaining("'/' expected but 'i' found at '[i]nvalid-param'"),
    });
    for (const bad of ['', '?path=', '?path=svc', '?path=/svc&dtab=/x', '?path=/a&path=/b']) {
      expect((await bind(bad)).status).toBe(400);
    }
    const circle = await bind(`?${query({ path: '/a', dtab: '/a => /a' })}`);
    expect([circle.status, circle.json]).toEqual([500, { error: expect.stringContaining('Max recursion level') }]);
    const watch = new Watch(`${scheduler.url}/api/1/bind/ns?${query({ path: '/a', dtab: '/a => /a', watch: 'true' })}`);
    await eventually('the end of the watch', () => watch.ended);
    expect(watch.lines).toEqual([expect.stringContaining('Max recursion level')]);
  });

  test('is watched: what is bound, neg when it goes, and bound again when it comes back', async () => {
    const scheduler = await withApps();
    const watch = new Watch(`${scheduler.url}/api/1/bind/ns?${query({ path: '/svc/team/api', watch: 'true' })}`);
    expect(await watch.line(1)).toEqual(leafOf('/#/io.l5d.marathon/team/api', '/', 22_001));
    use.marathon.apps.delete('team/api');
    use.marathon.emit('app_terminated_event', { appId: '/team/api' });
    expect(await watch.line(2)).toEqual({ type: 'neg' });
    use.marathon.put('team/api', [{ id: 'api.2', port: 22_002 }]);
    use.marathon.emit('api_post_event', { appDefinition: { id: '/team/api' } });
    use.marathon.emit('status_update_event', { appId: '/team/api', taskId: 'api.2', taskStatus: 'TASK_RUNNING' });
    expect(await watch.line(3)).toEqual(leafOf('/#/io.l5d.marathon/team/api', '/', 22_002));
    await put(scheduler, 'ns', '/svc => /#/io.l5d.marathon ; /svc/team/api => /svc/web');
    expect(await watch.line(4)).toMatchObject({ bound: { id: '/#/io.l5d.marathon/web' } });
    watch.close();
  });
});

describe('addr and resolve', () => {
  test('are the addresses of a bound name, and of a logical one', async () => {
    const scheduler = await withApps();
    const addr = async (path: string) => (await scheduler.get(`/api/1/addr/ns?${query({ path })}`)).json;
    expect(await addr('/#/io.l5d.marathon/web')).toEqual(addrOf(21_001, 21_002));
    expect(await addr('/%/io.l5d.port/4141/#/io.l5d.marathon/web')).toEqual(addrOf(21_001, 21_002));
    expect(await addr('/#/io.l5d.marathon/nobody')).toEqual({ type: 'neg' });
    expect(await addr('/svc/web')).toEqual({ type: 'neg' });
    const resolve = async (path: string, dtab = '') =>
      (await scheduler.get(`/api/1/resolve/ns?${query({ path, dtab })}`)).json;
    expect(await resolve('/svc/web')).toEqual(addrOf(21_001, 21_002));
    expect(await resolve('/svc/nobody')).toEqual({ type: 'neg' });
    const seen = new Set<string>();
    await eventually('both branches of a union', async () => {
      seen.add(JSON.stringify(await resolve('/svc/web', '/svc/web => /#/io.l5d.marathon/web & /svc/team/api')));
      return seen.size === 2;
    });
  });

  test('are watched: a line for each change of the addresses', async () => {
    const scheduler = await withApps();
    const addr = new Watch(
      `${scheduler.url}/api/1/addr/ns?${query({ path: '/#/io.l5d.marathon/web', watch: 'true' })}`,
    );
    const resolve = new Watch(`${scheduler.url}/api/1/resolve/ns?${query({ path: '/svc/web', watch: 'true' })}`);
    expect(await addr.line(1)).toEqual(addrOf(21_001, 21_002));
    expect(await resolve.line(1)).toEqual(addrOf(21_001, 21_002));
    use.marathon.put('web', [{ id: 'web.1', port: 21_001 }]);
    use.marathon.emit('status_update_event', { appId: '/web', taskId: 'web.2', taskStatus: 'TASK_KILLED' });
    expect(await addr.line(2)).toEqual(addrOf(21_001));
    expect(await resolve.line(2)).toEqual(addrOf(21_001));
    addr.close();
    resolve.close();
  });
});

describe('delegate', () => {
  test('is the tree of rewrites, under a namespace or without, asked for with GET or POST', async () => {
    const scheduler = await withApps();
    const tree = {
      type: 'delegate',
      path: '/svc/web',
      delegate: {
        ...leafOf('/#/io.l5d.marathon/web', '/', 21_001, 21_002),
        path: '/#/io.l5d.marathon/web',
        dentry: { prefix: '/svc', dst: '/#/io.l5d.marathon' },
      },
    };
    const path = '/svc/web';
    const dtab = '/svc => /#/io.l5d.marathon';
    expect((await scheduler.get(`/api/1/delegate/ns?${query({ path })}`)).json).toEqual(tree);
    expect((await scheduler.get(`/api/1/delegate?${query({ path, dtab })}`)).json).toEqual(tree);
    const post = async (at: string, body: string, type = 'application/json') => {
      const response = await fetch(`${scheduler.url}${at}`, {
        method: 'POST',
        headers: { 'content-type': type },
        body,
      });
      const text = await response.text();
      return response.status === 200 ? (JSON.parse(text) as unknown) : response.status;
    };
    expect(await post('/api/1/delegate/ns', JSON.stringify({ path }))).toEqual(tree);
    expect(await post('/api/1/delegate', JSON.stringify({ namespace: 'ns', path }))).toEqual(tree);
    expect(await post('/api/1/delegate', JSON.stringify({ path, dtab }))).toEqual(tree);
    expect(await post('/api/1/delegate', '{', 'application/json')).toBe(400);
    expect(await post('/api/1/delegate', '{}', 'text/plain')).toBe(415);
  });
});

test('bound-names are those that the namers can list', async () => {
  const scheduler = await withApps();
  const { text } = await scheduler.get('/api/1/bound-names');
  expect(text).toBe('["/#/io.l5d.marathon/team/api","/#/io.l5d.marathon/web"]\n');
});

test('linkerd’s interpreter follows names and addresses, and keeps the last good ones', async () => {
  const scheduler = await withApps();
  const interpreter = new NamerdInterpreter(scheduler.url, 'ns');
  const ids = () => (interpreter.bound('/svc/web') as { bound?: { id: string } } | null)?.bound?.id;
  await eventually('web is bound', () => ids() === '/#/io.l5d.marathon/web');
  await eventually('its addresses', () => interpreter.addresses('/#/io.l5d.marathon/web')?.length === 2);
  await put(scheduler, 'ns', '/svc => /#/io.l5d.marathon/team/api');
  await eventually('web is somewhere else', () => ids() === '/#/io.l5d.marathon/team/api');
  await scheduler.stop();
  expect(ids()).toBe('/#/io.l5d.marathon/team/api');
  expect(interpreter.addresses('/#/io.l5d.marathon/web')).toEqual(['127.0.36.1:21001', '127.0.36.1:21002']);
  interpreter.close();
});

describe('a change that would take names away', () => {
  /** A proxy has told that its clients asked for these. */
  async function asked(scheduler: SchedulerUnderTest, ...names: string[]): Promise<void> {
    scheduler.framework.set('S1', { taskId: 'proxy.1' as never });
    const client = scheduler.client('S1', 'proxy.1');
    await eventually('a session', () => client.session);
    expect(await client.report({ names: names.map((name) => ({ namespace: 'ns', name })) })).toBe(204);
  }

  test('is 409 with the names, and made all the same with force', async () => {
    const scheduler = await withApps();
    await asked(scheduler, '/svc/web', '/svc/team/api', '/svc/nobody');
    expect((await put(scheduler, 'ns', '/svc => /#/io.l5d.marathon ; /svc/web => /svc/team/api')).status).toBe(204);
    const refused = await put(scheduler, 'ns', '/svc/web => /#/io.l5d.marathon/web');
    expect(refused.status).toBe(409);
    expect(JSON.parse(refused.text)).toMatchObject({ names: ['/svc/team/api'], more: 0 });
    const remove = (rest = '') => fetch(`${scheduler.url}/api/1/dtabs/ns${rest}`, { method: 'DELETE' });
    expect((await remove()).status).toBe(409);
    expect((await put(scheduler, 'ns', '/svc => !', '?force=true')).status).toBe(204);
    // There is nothing left to lose.
    expect((await remove()).status).toBe(204);
    const revert = await fetch(`${scheduler.url}/v1/dtabs/ns/revert`, { method: 'POST' });
    expect(revert.status).toBe(200);
  });

  test('is taken where the check is off', async () => {
    use.marathon.put('web', [{ id: 'web.1' }]);
    const scheduler = await use.start({ nodes: { S1: {} }, args: ['--dtab-check=off'] });
    await eventually('the app', async () => ((await scheduler.get('/v1/services')).json as unknown[]).length === 1);
    await put(scheduler, 'ns', '/svc => /#/io.l5d.marathon');
    await asked(scheduler, '/svc/web');
    expect((await put(scheduler, 'ns', '/svc => !')).status).toBe(204);
  });
});

test('GET /v1/ambiguous-names lists the names that several apps claim, the one that has it first', async () => {
  for (const [index, name] of ['c-a/b', 'a/b-c', 'web'].entries()) {
    use.marathon.put(name, [{ id: `task.${index}`, port: 21_001 + index }]);
  }
  const scheduler = await use.start({ nodes: { S1: {} } });
  const wanted = [{ kind: 'mesos-dns', name: 'b-c-a', services: ['a/b-c', 'c-a/b'] }];
  await eventually('the list', async () => {
    const { json } = await scheduler.get('/v1/ambiguous-names');
    return JSON.stringify(json) === JSON.stringify(wanted);
  });
});
