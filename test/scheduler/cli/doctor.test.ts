/** `nodemesh doctor` over a whole scheduler whose Mesos is away. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { main } from '../../../scheduler/cli/main.ts';
import { eventually } from '../../fixtures/eventually.ts';
import { useScheduler } from '../support/use-scheduler.ts';

const use = useScheduler();
let written: string;

beforeEach(() => {
  written = '';
  vi.spyOn(process.stdout, 'write').mockImplementation((chunk) => {
    written += String(chunk);
    return true;
  });
  vi.stubEnv('NODEMESH_SCHEDULER', undefined);
});

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

const run = (url: string, version: string, ...args: string[]): Promise<void> =>
  main(['doctor', ...args, '--scheduler', url], { version, dist: '/nowhere', relaunch: [] });

test('what is wrong is told with why and what to do, and the exit code is 1', async () => {
  use.marathon.put('web', [{ id: 'web.1' }]);
  use.marathon.script(
    '/v2/info',
    (_request, response) => void response.end('{"version": "1.8.244", "leader": "m:8080"}'),
  );
  const scheduler = await use.start({ nodes: { S1: { state: 'pending', reason: 'No offer has come yet.' } } });
  await eventually('the apps', async () =>
    JSON.stringify((await scheduler.get('/v1/services')).json).includes('web.1'),
  );
  await expect(run(scheduler.url, '9.9.9', '--from-app', '/web')).rejects.toMatchObject({ exitCode: 1 });
  expect(written).toMatch(/^scheduler +note .*the scheduler has version 0\.1\.0, this command 9\.9\.9$/m);
  expect(written).toMatch(
    /^mesos +FAIL {2}http:\/\/127\.0\.0\.1:1\/version: the Mesos master does not answer\n +why {2}connection refused.*\n +do {3}.*--master/m,
  );
  expect(written).toMatch(/^agents +FAIL {2}S1\.example: the proxy is pending\n +why {2}No offer has come yet\.\n/m);
  expect(written).toMatch(/^marathon +ok .*Marathon 1\.8\.244/m);
  expect(written).toMatch(
    /^from-app +note {2}app \/web: its network is host: the proxy of its node is at \$HOST:4140$/m,
  );
  expect(written).toMatch(/\n\d+ errors, \d+ warnings?\.\n$/);
});

test('a scheduler that is not there is a finding too, also as JSON', async () => {
  await expect(run('http://127.0.0.1:1', '0.1.0', '--json')).rejects.toMatchObject({ exitCode: 1 });
  expect(JSON.parse(written)).toMatchObject({
    checks: [
      {
        name: 'scheduler',
        findings: [
          {
            severity: 'error',
            subject: 'http://127.0.0.1:1',
            why: expect.stringContaining('cannot reach the scheduler'),
            todo: expect.any(String),
          },
        ],
      },
    ],
  });
});
