/** D31: Marathon's answer with 20,000 tasks, about 25 MB, while the loop serves others. */
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { DISCOVERY_TIMES, Discovery } from '../../../scheduler/discovery/discovery.ts';
import { Feed } from '../../../scheduler/distribution/feed.ts';
import { AgentDirectory, serviceOf } from '../../../scheduler/distribution/mesh-table.ts';
import { eventually } from '../../fixtures/eventually.ts';
import { figure } from '../../fixtures/measure.ts';
import { FakeMarathon } from '../support/fake-marathon.ts';

const TASKS = 20_000;
const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined };

let marathon: FakeMarathon;
let discovery: Discovery | null = null;

beforeEach(async () => {
  marathon = await FakeMarathon.start();
});

afterEach(async () => {
  await discovery?.stop();
  await marathon.stop();
});

/** As long as the real ones: 25 MB in all. */
function appText(app: number, tasks: number): string {
  const id = `/team-${app % 40}/app-${app}`;
  const task = (n: number): object => ({
    ipAddresses: [{ ipAddress: '10.0.0.1', protocol: 'IPv4' }],
    ...{ stagedAt: '2026-01-01T00:00:00.000Z', startedAt: '2026-01-01T00:00:05.000Z', state: 'TASK_RUNNING' },
    ...{ ports: [20_000 + (n % 10_000)], version: '2026-01-01T00:00:00.000Z', appId: id, servicePorts: [10_000] },
    id: `${id.slice(1).replace('/', '_')}.instance-00000000-0000-0000-0000-${String(n).padStart(12, '0')}._app.1`,
    ...{ slaveId: `00000000-0000-0000-0000-000000000000-S${n % 500}`, host: '10.0.0.1', role: 'slave_public' },
    healthCheckResults: [
      {
        ...{ alive: true, consecutiveFailures: 0, firstSuccess: '2026-01-01T00:00:09.000Z', lastFailure: null },
        ...{ lastSuccess: '2026-01-01T00:00:09.000Z', lastFailureCause: null, instanceId: `instance-${n}` },
      },
    ],
    ...{ localVolumes: [], region: 'region-1', zone: 'zone-1', note: 'x'.repeat(320) },
  });
  return JSON.stringify({
    ...{ id, networks: [{ mode: 'host' }], portDefinitions: [{ name: 'http', port: 10_000 }], labels: {} },
    ...{ healthChecks: [{ protocol: 'HTTP' }], instances: tasks, version: '2026-01-01T00:00:00.000Z' },
    tasks: Array.from({ length: tasks }, (_, n) => task(n)),
  });
}

/**
 * The longest time between two turns of the loop, in milliseconds: the smaller of the clock, which counts what other
 * processes do, and of this process' CPU, which counts what the collector's helpers do beside it.
 */
function longestTurn(): { stop(): number } {
  let longest = 0;
  let before = process.cpuUsage();
  let at = performance.now();
  const timer = setInterval(() => {
    const { user, system } = process.cpuUsage(before);
    const now = performance.now();
    longest = Math.max(longest, Math.min((user + system) / 1_000, now - at));
    before = process.cpuUsage();
    at = now;
  }, 1);
  return {
    stop: () => {
      clearInterval(timer);
      return longest;
    },
  };
}

describe.each([
  [1_000, 'apps'],
  [10, 'apps'],
])('of %i %s', (apps) => {
  test('D31: it is taken without blocking the loop over 200 ms', async () => {
    const chunks = Array.from({ length: apps }, (_, app) =>
      Buffer.from(`${app > 0 ? ',' : ''}${appText(app, TASKS / apps)}`),
    );
    const bytes = chunks.reduce((sum, { length }) => sum + length, 0);
    expect(bytes).toBeGreaterThan(20_000_000);
    marathon.script('/v2/apps?', (_request, response) => {
      // The stand-in is in this process too, and is not to hold the loop itself.
      const document = function* () {
        yield '{"apps":[';
        yield* chunks;
        yield ']}';
      };
      Readable.from(document()).pipe(response);
    });
    const feed = new Feed(1);
    const agents = new AgentDirectory();
    let whole = false;
    discovery = new Discovery({
      marathon: marathon.url,
      logger: silent,
      times: DISCOVERY_TIMES,
      // As the control plane does.
      changed: (names) => {
        for (const name of names) {
          const app = discovery?.app(name);
          if (app !== undefined) feed.setService(serviceOf(app, agents));
        }
        feed.commit();
      },
      whole: () => {
        whole = true;
      },
    });
    const busy = longestTurn();
    const startedAt = performance.now();
    discovery.start();
    await eventually('the table', () => whole, 60_000);
    const took = performance.now() - startedAt;
    const blocked = busy.stop();
    figure(`${TASKS} tasks in ${apps} apps, ${Math.round(bytes / 1e6)} MB: taken in`, took, 'ms');
    figure(`${TASKS} tasks in ${apps} apps: longest turn of the loop`, blocked, 'ms');
    expect(feed.services().reduce((sum, { endpoints }) => sum + endpoints.length, 0)).toBe(TASKS);
    expect(blocked).toBeLessThan(200);
  });
});
