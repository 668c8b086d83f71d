/** `/v1/shifts` and `nodemesh shift` over a whole scheduler. What a shift does is told in policy/shift/shifts.test.ts. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { main } from '../../../scheduler/cli/main.ts';
import { eventually } from '../../fixtures/eventually.ts';
import { type SchedulerUnderTest, useScheduler } from '../support/use-scheduler.ts';

const use = useScheduler();
const CONTEXT = { version: '1.2.3', dist: '/nowhere', relaunch: [] };
const APPS = ['web', 'web-v2', 'team/api', 'team/api-v2'];

let written: string;
beforeEach(() => {
  vi.spyOn(process.stdout, 'write').mockImplementation((chunk) => {
    written += String(chunk);
    return true;
  });
  vi.stubEnv('NODEMESH_SCHEDULER', undefined);
  vi.stubEnv('NODEMESH_API_TOKEN_FILE', undefined);
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

async function run(scheduler: SchedulerUnderTest, ...args: string[]): Promise<string> {
  written = '';
  await main(['shift', ...args, '--scheduler', scheduler.running.url], CONTEXT);
  return written;
}

async function withApps(): Promise<SchedulerUnderTest> {
  for (const app of APPS) use.marathon.put(app, [{ id: `${app}.1` }]);
  const scheduler = await use.start({ nodes: { S1: {} } });
  await eventually('all apps', async () => ((await scheduler.get('/v1/services')).json as unknown[]).length === 4);
  return scheduler;
}

test('a shift is begun, shown, paused, continued and ended', async () => {
  const scheduler = await withApps();
  const send = async (method: string, path: string, body?: unknown) => {
    const init = { method, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
    const response = await fetch(`${scheduler.url}${path}`, init);
    return { status: response.status, json: (await response.json()) as unknown };
  };
  const begun = await send('POST', '/v1/shifts', {
    service: '/team/api',
    to: 'team/api-v2',
    steps: [5, 100],
    every: '1m',
  });
  expect(begun).toMatchObject({
    status: 201,
    json: {
      service: 'team/api',
      from: 'team/api',
      to: 'team/api-v2',
      state: 'running',
      percent: 5,
      step: 1,
      by: '127.0.0.1',
    },
  });
  expect((await scheduler.get('/v1/dtabs/default')).json).toMatchObject({
    dtab: expect.stringContaining(
      '/marathonId/team/api => 5 * /#/io.l5d.marathon/team/api-v2 & 95 * /#/io.l5d.marathon/team/api',
    ),
    what: 'shift of team/api to team/api-v2: 5 %',
  });
  expect(await send('POST', '/v1/shifts', { service: 'team/api', to: 'web' })).toMatchObject({ status: 409 });
  expect(await send('POST', '/v1/shifts/team/api/pause')).toMatchObject({ status: 200, json: { state: 'paused' } });
  expect(await send('POST', '/v1/shifts/team%2Fapi/continue')).toMatchObject({ json: { state: 'running' } });
  expect((await scheduler.get('/v1/shifts')).json).toMatchObject([{ service: 'team/api' }]);
  expect((await scheduler.get('/v1/shifts/team/api')).json).toMatchObject({ counted: { requests: 0, failures: 0 } });
  expect(await send('DELETE', '/v1/shifts/team/api')).toMatchObject({ json: { state: 'aborted', percent: 0 } });
  expect(await send('DELETE', '/v1/shifts/team/api')).toMatchObject({ status: 409 });
  expect((await scheduler.get('/v1/shifts/web')).status).toBe(404);
  expect((await scheduler.get('/v1/dtabs/default')).json).not.toMatchObject({
    dtab: expect.stringContaining('api-v2'),
  });
  expect((await scheduler.get('/v1/audit')).json).toMatchObject([
    { what: 'DELETE /v1/shifts/team/api', target: 'shift team/api', to: '0 % to team/api-v2' },
    { who: 'nodemesh, for 127.0.0.1', target: 'dtab default' },
    { what: 'POST /v1/shifts/team%2Fapi/continue' },
    { what: 'POST /v1/shifts/team/api/pause' },
    { what: 'POST /v1/shifts' },
    { who: 'nodemesh, for 127.0.0.1', what: 'shift of team/api to team/api-v2: 5 %' },
  ]);
});

test.each([
  [{}, 'service'],
  [{ service: 'Web', to: 'web-v2' }, 'service: is not the id of a Marathon app'],
  [{ service: 'web', to: 'web-v2', steps: [10, 5, 100] }, 'steps: must rise'],
  [{ service: 'web', to: 'web-v2', steps: [10] }, 'steps: must end with 100'],
  [{ service: 'web', to: 'web-v2', every: 'soon' }, 'every: '],
  [{ service: 'web', to: 'web-v2', every: '10ms' }, 'every: must be a time from 1s to 24h'],
])('%j is no shift', async (body, message) => {
  const { url } = await use.start();
  const response = await fetch(`${url}/v1/shifts`, { method: 'POST', body: JSON.stringify(body) });
  expect([response.status, await response.text()]).toEqual([400, expect.stringContaining(message)]);
});

test('the command does the same', async () => {
  const scheduler = await withApps();
  expect(await run(scheduler)).toBe('No traffic was shifted yet.\n');
  const begun = await run(scheduler, 'web', '--to', 'web-v2', '--steps', '1%,10%,50%,100%', '--every', '5m');
  expect(begun).toBe(
    [
      'web: 1 % to web-v2, 99 % to web',
      '  state     running, step 1 of 4 (1%, 10%, 50%, 100%)',
      '  counted   0 requests to web-v2 in this step, 0 failed',
      '',
    ].join('\n'),
  );
  expect(await run(scheduler, 'web')).toBe(begun);
  expect(await run(scheduler)).toMatch(/APP +TO +STATE +SHARE +FOR +WHY\nweb +web-v2 +running +1 % +(now|\d+ s)\n/);
  expect(await run(scheduler, 'web', '--pause')).toContain('paused');
  expect(await run(scheduler, 'web', '--continue')).toContain('running');
  expect(await run(scheduler, 'web', '--abort')).toBe(
    'web: 0 % to web-v2, 100 % to web\n  state     aborted\n  reason    ended by an operator\n',
  );
  await expect(run(scheduler, 'web', '--abort')).rejects.toThrow('the shift of web is over');
  await expect(run(scheduler, 'nobody')).rejects.toMatchObject({ exitCode: 2 });
  await expect(run(scheduler, 'web', '--to', 'x', '--steps', 'all')).rejects.toThrow('Give shares');
});
