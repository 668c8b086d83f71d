/** The scheduler with a Marathon and a Mesos that tells its operators of tasks: what its proxies get. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { mesosDnsClaims } from '../../agent-proxy/routing/table-names/mesos-dns.ts';
import { otherSourcesNamer } from '../../agent-proxy/routing/table-names/table-namer.ts';
import { eventually } from '../fixtures/eventually.ts';
import { ScriptedMaster } from '../framework/mesos-http-client/scripted-master.ts';
import { added, subscribed, task, updated } from './discovery/mesos-tasks.ts';
import { taskId } from './support/fake-framework.ts';
import { useScheduler } from './support/use-scheduler.ts';

const use = useScheduler();
const NAME = '#io.nodemesh.mesos/hello-world/node-0';
let master: ScriptedMaster;

beforeEach(async () => {
  master = await new ScriptedMaster().start();
});
afterEach(() => master.stop());

async function start(tasks: readonly object[], args: string[] = []) {
  master.onSubscribe = (_received, response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    master.streams.push(response);
    master.write(subscribed({ tasks }));
  };
  const scheduler = await use.start({
    nodes: { S1: { taskId: taskId('p1'), ip: '127.0.36.1' } },
    args: [`--master=${master.url}`, ...args],
  });
  const proxy = scheduler.client('S1', 'p1');
  await eventually('a table', () => proxy.table.ready);
  const health = async () => (await scheduler.get('/v1/health')).json;
  return { scheduler, proxy, health };
}

describe('tasks of other frameworks', () => {
  test('are services that a proxy finds under /#/io.nodemesh.mesos, and under no host name', async () => {
    const { scheduler, proxy, health } = await start([task('node-0__1', { name: 'node-0' })]);
    await eventually('the service', () => proxy.table.service(NAME));
    expect(proxy.table.service(NAME)?.endpoints).toMatchObject([
      { instance: 'node-0__1', address: '10.0.0.1', port: 31_000 },
    ]);
    const namer = otherSourcesNamer(proxy.table);
    const bound = namer.lookup(['io.nodemesh.mesos', 'Hello-World', 'node-0:http', 'rest']);
    const stop = bound.observe(() => {});
    const leaf = {
      kind: 'leaf',
      value: {
        kind: 'bound',
        bound: {
          id: ['#', 'io.nodemesh.mesos', 'hello-world', 'node-0:http'],
          residual: ['rest'],
          addresses: { state: { kind: 'bound', endpoints: [{ instance: 'node-0__1' }] } },
        },
      },
    };
    expect(bound.state).toMatchObject({ kind: 'ok', value: leaf });
    stop();
    namer.close();
    expect(mesosDnsClaims(proxy.table).namesOf(NAME)).toEqual([]);
    expect(await health()).toMatchObject({ mesosDiscovery: { enabled: true, connected: true } });

    master.write(added(task('node-0__2', { name: 'node-0', agent: 'S2', state: 'TASK_STAGING' })));
    master.write(updated('node-0__2', 'TASK_RUNNING', { agent: 'S2' }));
    await eventually('the second', () => proxy.table.service(NAME)?.endpoints.length === 2);
    master.write(updated('node-0__1', 'TASK_FAILED'));
    master.write(updated('node-0__2', 'TASK_FAILED'));
    await eventually('the end', () => proxy.table.service(NAME) === undefined);
    const metrics = (await scheduler.get('/metrics')).text;
    expect(metrics).toContain('nodemesh_mesos_discovery_connected 1');
    expect(metrics).toContain('nodemesh_mesos_discovery_events_total{type="TASK_UPDATED"} 3');
    expect(metrics).toContain('nodemesh_mesos_discovery_tasks{kind="named"} 0');
  });

  test('stay as they are while the stream is down', async () => {
    const { proxy, health } = await start([task('node-0__1', { name: 'node-0' })]);
    await eventually('the service', () => proxy.table.service(NAME));
    master.onSubscribe = (_received, response) => response.writeHead(503).end();
    master.streams[0]?.destroy();
    const down = { mesosDiscovery: { connected: false } };
    await eventually('the loss', async () => JSON.stringify(await health()).includes('"connected":false},"plans"'));
    expect(await health()).toMatchObject(down);
    expect(proxy.table.service(NAME)?.endpoints).toHaveLength(1);
  });

  test('are not looked for when that is turned off', async () => {
    const { proxy, health } = await start([task('node-0__1', { name: 'node-0' })], ['--mesos-discovery=off']);
    await eventually('a heartbeat', () => proxy.frames('heartbeat').length >= 1);
    expect(master.received).toEqual([]);
    expect(await health()).toMatchObject({ mesosDiscovery: { enabled: false, connected: false } });
  });
});

describe("a task of Marathon's that Mesos says has ended", () => {
  test('is out of the table at once, and stays out while Marathon still has it', async () => {
    const ofMarathon = (id: string) => task(id, { framework: 'M1' });
    use.marathon.put('web', [{ id: 'web.1' }, { id: 'web.2' }]);
    const { scheduler, proxy } = await start([ofMarathon('web.1'), ofMarathon('web.2')]);
    await eventually('both', () => proxy.table.service('web')?.endpoints.length === 2);
    await eventually('the stream', () =>
      scheduler.logs.some((line) => line.includes('the operator stream of Mesos is in place')),
    );
    const at = performance.now();
    master.write(updated('web.1', 'TASK_FAILED', { framework: 'M1' }));
    await eventually('one', () => proxy.table.service('web')?.endpoints.length === 1);
    expect(performance.now() - at).toBeLessThan(1_000);
    // Marathon says so once more, with other news.
    use.marathon.put('web', [{ id: 'web.1' }, { id: 'web.2', port: 21_500 }]);
    use.marathon.emit('status_update_event', { appId: '/web' });
    await eventually('the news', () => proxy.table.service('web')?.endpoints.some(({ port }) => port === 21_500));
    expect(proxy.table.service('web')?.endpoints.map(({ instance }) => instance)).toEqual(['web.2']);
    // What is only out of sight is left to Marathon.
    master.write(updated('web.2', 'TASK_UNREACHABLE', { framework: 'M1' }));
    master.write(added(task('node-0__1', { name: 'node-0' })));
    await eventually('what came after it', () => proxy.table.service(NAME));
    expect(proxy.table.service('web')?.endpoints).toHaveLength(1);
    expect((await scheduler.get('/metrics')).text).toContain('nodemesh_mesos_discovery_ended_total 1');
  });
});
