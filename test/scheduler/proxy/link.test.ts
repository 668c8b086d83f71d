/** The proxy's real link follows the scheduler's real distribution: through changes, a restart and a move. */
import { createServer } from 'node:http';
import { afterEach, describe, expect, onTestFinished, test } from 'vitest';
import { announceSchema, MAX_RECORD_BYTES, type Report } from '../../../agent-proxy/control/contract.ts';
import { EpochGuard } from '../../../agent-proxy/control/epoch-guard.ts';
import { ControlLink } from '../../../agent-proxy/control/link.ts';
import { SchedulerClient } from '../../../agent-proxy/control/scheduler-client.ts';
import { SchedulerList } from '../../../agent-proxy/control/scheduler-list.ts';
import { CONTROL_ACCEPTED } from '../../../agent-proxy/control/wire-words.ts';
import { ServiceTable } from '../../../agent-proxy/routing/service-table.ts';
import { eventually } from '../../fixtures/eventually.ts';
import { ControlClient } from '../support/control-client.ts';
import { taskId } from '../support/fake-framework.ts';
import { useScheduler } from '../support/use-scheduler.ts';

const use = useScheduler();
const links: { close(): void }[] = [];

afterEach(() => {
  for (const link of links.splice(0)) link.close();
});

interface Proxy {
  readonly table: ServiceTable;
  readonly link: ControlLink;
  readonly epochs: EpochGuard;
  readonly log: string[];
  configRevision: number;
}

function proxyOf(url: string, task = 'p1'): Proxy {
  const table = new ServiceTable();
  const log: string[] = [];
  const epochs = new EpochGuard(0, () => undefined);
  const client = new SchedulerClient({ agentId: 'S1', taskId: task, clusterKey: null, enrolment: null });
  const identity = { agentId: 'S1', taskId: task, version: '0.1.0' };
  const proxy: { configRevision: number } = { configRevision: 0 };
  const link = new ControlLink({
    table,
    epochs,
    schedulers: new SchedulerList([url], []),
    client,
    random: () => 0.5,
    ...{ agentId: identity.agentId, taskId: task },
    subscription: () => ({
      ...identity,
      nodeIp: '127.0.36.1',
      epoch: epochs.highest,
      revision: table.revision,
      ...(table.ready ? { tableDigest: table.digest() } : {}),
      accepts: [...CONTROL_ACCEPTED],
      configRevision: proxy.configRevision,
      ports: { outgoing: 4140, incoming: 4141, admin: 9990 },
    }),
    report: (session) => {
      const body: Report = {
        ...identity,
        session,
        epoch: epochs.highest,
        revision: table.revision,
        configRevision: proxy.configRevision,
        digest: table.digest(),
        ready: table.ready,
        reason: table.ready ? null : 'There is no table yet.',
        windowMs: 1_000,
        traffic: [],
        instances: [],
        workerRestarts: 0,
        staleFrames: epochs.refused,
      };
      return { body, sent: () => undefined };
    },
    greeted: () => undefined,
    configured: (revision) => {
      proxy.configRevision = revision;
    },
    upgradeAsked: () => undefined,
    tableChanged: () => undefined,
    log: (message, fields) => log.push(`${message} ${JSON.stringify(fields)}`),
  });
  links.push({
    close: () => {
      link.close();
      client.close();
    },
  });
  link.start();
  return Object.assign(proxy, { table, link, epochs, log });
}

const S1 = { taskId: taskId('p1'), ip: '127.0.36.1' };

describe("the proxy's link", () => {
  test('follows every change without a gap, and its digest is ours', async () => {
    use.marathon.put('web', [{ id: 'web.1' }]);
    const scheduler = await use.start({ nodes: { S1 } });
    const proxy = proxyOf(scheduler.url);
    await eventually('the table', () => proxy.table.service('web'));
    await eventually('health', () => scheduler.framework.told.some((told) => told.healthy));
    for (let round = 1; round <= 10; round++) {
      for (let app = 0; app < 40; app++) use.marathon.put(`app${app}`, [{ id: `app${app}.${round}` }]);
      use.marathon.emit('group_change_success', { groupId: '/' });
      await eventually(
        `round ${round}`,
        () => proxy.table.service('app39')?.endpoints[0]?.instance === `app39.${round}`,
      );
    }
    expect(proxy.table.serviceCount).toBe(41);
    expect(proxy.link.gaps).toBe(0);
    expect(proxy.link.connects).toBe(1);
    expect(proxy.configRevision).toBe(1);
    await eventually('a node that runs what is wanted', async () => {
      const [node] = (await scheduler.get('/v1/nodes')).json as { running: unknown; state: string }[];
      const running = { version: '0.1.0', configRevision: 1, codeSha256: null, upgrade: null };
      return node?.state === 'healthy' && JSON.stringify(node.running) === JSON.stringify(running);
    });
  });

  test('carries a service of 2,000 instances, whole to who joins and in small changes to who is there', async () => {
    const tasks = Array.from({ length: 2_000 }, (_, index) => ({ id: `web.${index}` }));
    use.marathon.put('web', tasks);
    const scheduler = await use.start({ nodes: { S1 } });
    const proxy = proxyOf(scheduler.url);
    const observer = new ControlClient(scheduler.url, { agentId: 'S2', taskId: 'observer' });
    links.push(observer);
    // Who says nothing for five seconds is taken for dead.
    const reporting = setInterval(() => void observer.report().catch(() => undefined), 1_000);
    onTestFinished(() => clearInterval(reporting));
    const ids = (table: ServiceTable) => table.service('web')?.endpoints.map(({ instance }) => instance);
    await eventually('the tables', () => ids(proxy.table)?.length === 2_000 && observer.table.ready);
    expect(observer.frames('services').length).toBeGreaterThan(5);

    use.marathon.put('web', [{ id: 'web.new' }, ...tasks.slice(1)]);
    use.marathon.emit('group_change_success', { groupId: '/' });
    await eventually(
      'the change',
      () => ids(proxy.table)?.includes('web.new') && ids(observer.table)?.includes('web.new'),
    );
    const patches = observer.frames('delta').flatMap(({ patch }) => patch);
    expect(patches.map(({ set, unset }) => [set.map(({ instance }) => instance), unset])).toEqual([
      [['web.new'], ['web.0']],
    ]);

    const replaced = Array.from({ length: 2_000 }, (_, index) => ({ id: `next.${index}` }));
    use.marathon.put('web', replaced);
    use.marathon.put('large', replaced);
    use.marathon.emit('group_change_success', { groupId: '/' });
    await eventually('the rollout', () => {
      const now = ids(proxy.table);
      return now?.length === 2_000 && now.every((id) => id.startsWith('next.')) && proxy.table.service('large');
    });
    await eventually('the end of it', () => proxy.table.service('large')?.endpoints.length === 2_000);
    await eventually('the same', () => observer.table.digest() === proxy.table.digest());
    expect(Math.max(...observer.reader.sizes)).toBeLessThanOrEqual(MAX_RECORD_BYTES);
    expect(observer.frames('delta').length).toBeGreaterThan(10);
    expect(proxy.link.gaps + observer.applied.filter(({ kind }) => kind === 'gap').length).toBe(0);
    expect(proxy.link.connects).toBe(1);
  });

  test('finds a scheduler that comes back on another port, by its announcement, with all its endpoints kept', async () => {
    use.marathon.put('web', [{ id: 'web.1' }]);
    const first = await use.start({ nodes: { S1 } });
    const proxy = proxyOf(first.url);
    await eventually('the table', () => proxy.table.service('web'));
    await first.stop();
    await eventually('the loss', () => proxy.link.status !== 'streaming');
    expect(proxy.table.service('web')?.endpoints).toHaveLength(1);

    const admin = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk) => {
        body += chunk;
      });
      request.on('end', () => {
        const { accepted } = proxy.link.announced(announceSchema.parse(JSON.parse(body)));
        response.writeHead(accepted ? 204 : 409).end();
      });
    });
    await new Promise<void>((resolve) => admin.listen(0, '127.0.36.1', resolve));
    const address = admin.address();
    try {
      const at = performance.now();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      const second = await use.start({ nodes: { S1 }, args: [`--ports=admin=${port}`] });
      expect(second.url).not.toBe(first.url);
      await eventually('the new stream', () => proxy.link.status === 'streaming' && proxy.epochs.highest === 2);
      await eventually('health', () => second.framework.told.some((told) => told.healthy));
      expect(performance.now() - at).toBeLessThan(3_000);
      expect(proxy.link.gaps).toBe(0);
    } finally {
      admin.closeAllConnections();
      await new Promise((resolve) => admin.close(resolve));
    }
  });
});
