/** The command `config` over a whole scheduler. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { main } from '../../../scheduler/cli/main.ts';
import { eventually } from '../../fixtures/eventually.ts';
import { type SchedulerUnderTest, useScheduler } from '../support/use-scheduler.ts';

const CONTEXT = { version: '1.2.3', dist: '/nowhere', relaunch: [] };

const use = useScheduler();
let written: string;

beforeEach(() => {
  written = '';
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

/** Runs a command, and returns what it printed. */
async function run(scheduler: SchedulerUnderTest, ...args: string[]): Promise<string> {
  written = '';
  await main([...args, '--scheduler', scheduler.running.url], CONTEXT);
  return written;
}

function fileWith(text: string): string {
  const path = join(use.directory, 'mesh.yaml');
  writeFileSync(path, text);
  return path;
}

test('show, set, revisions, diff and rollback', async () => {
  // Without a node there is nothing to see: a revision is through at once, and unproven.
  const scheduler = await use.start();
  expect(await run(scheduler, 'config', 'show')).toMatch(
    /^# revision 1 \(completed\): the defaults\nadmin:\n[\s\S]*label: outgoing\n/,
  );
  const file = fileWith('routers:\n- label: outgoing\n  client:\n    requestAttemptTimeoutMs: 500\n');
  expect(await run(scheduler, 'config', 'set', file, '--note', 'sooner', '--only-if', '1')).toBe(
    'revision 2 goes out; nodemesh plan show config shows how far it is\n',
  );
  await eventually(
    'it is through',
    async () => ((await scheduler.get('/v1/config')).json as { revision: number }).revision === 2,
  );
  await expect(run(scheduler, 'config', 'set', file, '--only-if', '1')).rejects.toThrow('answered 412');
  expect(await run(scheduler, 'config', 'revisions')).toMatch(/REVISION +STATUS[\s\S]*\n2 +unproven .*sooner/);
  expect(await run(scheduler, 'config', 'diff', '2')).toBe(
    '+ routers: [{"label":"outgoing","client":{"requestAttemptTimeoutMs":500}}]\n',
  );
  expect(await run(scheduler, 'config', 'show', '2')).toContain('requestAttemptTimeoutMs: 500\n');
  expect(await run(scheduler, 'config', 'rollback', '1')).toContain('revision 3 goes out');
  await eventually(
    'it is back',
    async () => ((await scheduler.get('/v1/config')).json as { revision: number }).revision === 3,
  );
  await expect(run(scheduler, 'config', 'show', '9')).rejects.toThrow('there is no revision 9');
  await expect(run(scheduler, 'config', 'abort')).rejects.toThrow('no configuration is under way');
});

test('what is wrong with a file is told with its lines', async () => {
  const scheduler = await use.start();
  const file = fileWith('routers:\n- label: outgoing\n  clinet: {}\n');
  await expect(run(scheduler, 'config', 'set', file)).rejects.toMatchObject({ exitCode: 1 });
  expect(written).toBe(`${file}:3:3: routers[0].clinet: unknown key; did you mean 'client'?\n`);
});
