/** The scope `bound`: a real proxy under a real scheduler has the endpoints of what it uses, and of nothing else. */
import { afterEach, expect, test } from 'vitest';
import { loadSnapshot } from '../../../agent-proxy/control/last-snapshot.ts';
import { useBackend } from '../../fixtures/backend.ts';
import { type ControlRelay, startControlRelay } from '../../fixtures/control-relay.ts';
import { eventually } from '../../fixtures/eventually.ts';
import { send } from '../../fixtures/http.ts';
import { type RunningProxy, useProxy, useTempDir } from '../../fixtures/proxy.ts';
import { taskId } from '../support/fake-framework.ts';
import { type SchedulerUnderTest, useScheduler } from '../support/use-scheduler.ts';

const IP = '127.0.35.1';
const NODES = {
  S1: { taskId: taskId('proxy-of-S1'), ip: IP },
  S2: { taskId: taskId('proxy-of-S2'), ip: '127.0.35.2' },
};

const use = useScheduler();
const relays: ControlRelay[] = [];

afterEach(async () => {
  for (const relay of relays.splice(0)) await relay.close();
});

interface Started {
  readonly scheduler: SchedulerUnderTest;
  readonly relay: ControlRelay;
  readonly proxy: RunningProxy;
  readonly dataDir: string;
  /** Another scheduler after it, behind the same relay. */
  begin(scope: string): Promise<SchedulerUnderTest>;
}

async function start(scope = 'bound'): Promise<Started> {
  const at = { url: '' };
  const relay = await startControlRelay('127.0.0.1', () => at.url);
  relays.push(relay);
  const begin = async (scope: string): Promise<SchedulerUnderTest> => {
    const args = [`--discovery-scope=${scope}`, `--advertise=${relay.url}`];
    const begun = await use.start({ nodes: NODES, args });
    at.url = begun.running.url;
    return begun;
  };
  const scheduler = await begin(scope);
  const dataDir = await useTempDir();
  const proxy = await useProxy({ agentId: 'S1', schedulers: [relay.url], dataDir });
  await eventually('the table', async () => (await tableOf(proxy)).ready);
  return { scheduler, relay, proxy, dataDir, begin };
}

interface Table {
  readonly ready: boolean;
  readonly services: { readonly name: string; readonly endpoints: { readonly instance: string }[] }[];
}

async function tableOf(proxy: RunningProxy): Promise<Table> {
  return JSON.parse((await send(`${proxy.admin}/admin/table`)).body) as Table;
}

/** The instances that the proxy has, by service. */
async function instancesOf(proxy: RunningProxy): Promise<Record<string, string[]>> {
  const { services } = await tableOf(proxy);
  const filled = services.filter(({ endpoints }) => endpoints.length > 0);
  return Object.fromEntries(filled.map(({ name, endpoints }) => [name, endpoints.map(({ instance }) => instance)]));
}

/** Marathon says that these are the instances of an app now, each a port on another node. */
function put(name: string, tasks: Record<string, number>, slaveId = 'S2'): void {
  use.marathon.put(
    name,
    Object.entries(tasks).map(([id, port]) => ({ id, port, slaveId, host: IP })),
  );
  use.marathon.emit('group_change_success', { groupId: '/' });
}

/** Which frames about endpoints there were, as `endpoints web`. */
const fillsOf = ({ frames }: ControlRelay): string[] =>
  frames.flatMap((frame) => {
    if (frame.type === 'endpoints' || frame.type === 'forget') return [`${frame.type} ${frame.service}`];
    return frame.type === 'endpoints-patch' ? [`${frame.type} ${frame.patch.service}`] : [];
  });

test('endpoints come on first use, follow their service, and those of others never travel', async () => {
  const backend = await useBackend('app', { ip: IP });
  put('web', { 'web.1': backend.port });
  put('api', { 'api.1': backend.port });
  const { relay, proxy } = await start();
  expect((await tableOf(proxy)).services.map(({ name }) => name).sort()).toEqual(['api', 'web']);
  expect(await instancesOf(proxy)).toEqual({});

  const first = await send(`${proxy.outgoing}/`, { headers: { host: 'web' } });
  expect([first.status, first.headers['l5d-err']]).toEqual([200, undefined]);
  expect(await instancesOf(proxy)).toEqual({ web: ['web.1'] });
  expect(fillsOf(relay)).toEqual(['endpoints web']);

  put('web', { 'web.1': backend.port, 'web.2': backend.port });
  put('api', { 'api.1': backend.port, 'api.2': backend.port });
  put('late', { 'late.1': backend.port });
  await eventually('the change', async () => (await instancesOf(proxy))['web']?.length === 2);
  await eventually('the new name', async () => (await tableOf(proxy)).services.length === 3);
  expect(await instancesOf(proxy)).toEqual({ web: ['web.1', 'web.2'] });
  expect(fillsOf(relay)).toEqual(['endpoints web', 'endpoints-patch web']);

  expect((await send(`${proxy.outgoing}/`, { headers: { host: 'late' } })).status).toBe(200);
  expect((await send(`${proxy.outgoing}/`, { headers: { host: 'nobody' } })).status).toBe(502);
  const onTheWire = JSON.stringify(relay.frames);
  expect([onTheWire.includes('web.2'), onTheWire.includes('api.')]).toEqual([true, false]);
});

test('what has instances on its own node a proxy gets unasked, and loses when they are gone', async () => {
  const backend = await useBackend('app', { ip: IP });
  put('here', { 'here.1': backend.port }, 'S1');
  put('there', { 'there.1': backend.port });
  const { proxy, relay } = await start();
  await eventually('its own', async () => (await instancesOf(proxy))['here']);
  expect(await instancesOf(proxy)).toEqual({ here: ['here.1'] });
  expect((await send(`${proxy.incoming}/`, { headers: { host: 'here' } })).status).toBe(200);
  put('here', { 'here.2': backend.port });
  put('there', { 'there.1': backend.port, 'there.2': backend.port }, 'S1');
  // The name is in use: it was asked for by its host.
  await eventually('the move', async () => JSON.stringify(await instancesOf(proxy)).includes('there.2'));
  expect(await instancesOf(proxy)).toEqual({ here: ['here.2'], there: ['there.1', 'there.2'] });
  put('there', { 'there.3': backend.port });
  await eventually('the end', async () => (await instancesOf(proxy))['there'] === undefined);
  expect(fillsOf(relay).at(-1)).toBe('forget there');
});

test('a change that is lost on the way is found and mended, and so is one that came otherwise', async () => {
  const backend = await useBackend('app', { ip: IP });
  put('web', { 'web.1': backend.port });
  const { proxy, relay, scheduler } = await start();
  expect((await send(`${proxy.outgoing}/`, { headers: { host: 'web' } })).status).toBe(200);

  relay.lose('endpoints-patch');
  put('web', { 'web.1': backend.port, 'web.2': backend.port });
  await eventually('the loss', () => relay.lost.length === 1);
  await eventually('what was lost', async () => (await instancesOf(proxy))['web']?.length === 2);
  expect(await instancesOf(proxy)).toEqual({ web: ['web.1', 'web.2'] });

  // As if the proxy had taken it wrongly: it reports another digest than it must have.
  relay.change((frame) => {
    if (frame.type !== 'endpoints-patch') return frame;
    const { epoch, seq, patch } = frame;
    return { type: 'forget', epoch, seq, service: patch.service };
  });
  put('web', { 'web.2': backend.port });
  await eventually('the repair', async () => {
    const [node] = (await scheduler.get('/v1/nodes')).json as { sync: { repairs: number } | null }[];
    return node?.sync?.repairs === 1;
  });
  await eventually('what is right', async () => (await instancesOf(proxy))['web']?.join() === 'web.2');
});

test('what it has it keeps: on disk, and through a restart of the scheduler, which sends only what is different', async () => {
  const backend = await useBackend('app', { ip: IP });
  put('web', { 'web.1': backend.port });
  put('api', { 'api.1': backend.port });
  const { proxy, relay, scheduler, dataDir } = await start();
  for (const host of ['web', 'api']) {
    expect((await send(`${proxy.outgoing}/`, { headers: { host } })).status).toBe(200);
  }
  await eventually('the disk', () => loadSnapshot(dataDir).snapshot?.filled.length === 2);
  expect(loadSnapshot(dataDir).snapshot?.services.flatMap(({ endpoints }) => endpoints)).toEqual([]);
  await proxy.close();

  put('api', { 'api.2': backend.port });
  await eventually('the scheduler knows', async () => (await scheduler.get('/v1/services')).text.includes('api.2'));
  const before = fillsOf(relay).length;
  const again = await useProxy({ agentId: 'S1', schedulers: [relay.url], dataDir });
  expect(await instancesOf(again)).toEqual({ web: ['web.1'], api: ['api.1'] });
  expect((await send(`${again.outgoing}/`, { headers: { host: 'web' } })).status).toBe(200);
  await eventually('what nobody wants any more', async () => (await instancesOf(again))['api'] === undefined);
  expect(fillsOf(relay).slice(before)).toContain('forget api');
  expect((await send(`${again.outgoing}/`, { headers: { host: 'web' } })).status).toBe(200);
  expect((await send(`${again.outgoing}/`, { headers: { host: 'api' } })).status).toBe(200);
  expect(await instancesOf(again)).toEqual({ web: ['web.1'], api: ['api.2'] });
});

test('the scope can be changed under traffic, and back', async () => {
  const backend = await useBackend('app', { ip: IP });
  put('web', { 'web.1': backend.port });
  put('api', { 'api.1': backend.port });
  const { proxy, scheduler, begin } = await start('all');
  let current = scheduler;
  const statuses = new Set<number>();
  let isOver = false;
  const load = (async () => {
    while (!isOver) statuses.add((await send(`${proxy.outgoing}/`, { headers: { host: 'web' } })).status);
  })();
  expect(await instancesOf(proxy)).toEqual({ web: ['web.1'], api: ['api.1'] });
  for (const [scope, expected] of [
    ['bound', { web: ['web.1'] }],
    ['all', { web: ['web.1'], api: ['api.1'] }],
  ] as const) {
    await current.stop();
    current = await begin(scope);
    await eventually(scope, async () => {
      const instances = await instancesOf(proxy);
      return Object.keys(instances).length === Object.keys(expected).length && instances;
    });
    expect(await instancesOf(proxy)).toEqual(expected);
  }
  isOver = true;
  await load;
  expect([...statuses]).toEqual([200]);
});
