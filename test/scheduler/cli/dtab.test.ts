/** The commands `dtab`, `bind`, `delegate` and `audit` over a whole scheduler. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
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
  const path = join(use.directory, 'rules.dtab');
  writeFileSync(path, text);
  return path;
}

async function withWeb(): Promise<SchedulerUnderTest> {
  use.marathon.put('web', [{ id: 'web.1', port: 21_001 }]);
  use.marathon.put('web-v2', [{ id: 'web-v2.1', port: 21_002 }]);
  const scheduler = await use.start({ nodes: { S1: {} } });
  await eventually('both apps', async () => ((await scheduler.get('/v1/services')).json as unknown[]).length === 2);
  return scheduler;
}

describe('dtab', () => {
  test('sets, shows, lists, and goes back', async () => {
    const scheduler = await use.start();
    const file = fileWith('# ours\n/svc => /#/io.l5d.marathon\n');
    expect(await run(scheduler, 'dtab', 'set', 'ours', file)).toBe(
      'ours is at version 1; nodemesh dtab revert ours takes it back.\n',
    );
    expect(await run(scheduler, 'dtab', 'get', 'ours')).toBe(
      '# version AAAAAAAAAAE=\n# ours\n/svc => /#/io.l5d.marathon\n',
    );
    expect(await run(scheduler, 'dtab', 'list')).toMatch(
      /NAMESPACE .*\ndefault .*\nours +1 +1 +(now|\d+ s) +127\.0\.0\.1\n/,
    );
    // What get printed is set again where nobody was quicker.
    const edited = fileWith(`${await run(scheduler, 'dtab', 'get', 'ours')};/host => /svc`);
    expect(await run(scheduler, 'dtab', 'set', 'ours', edited)).toContain('version 2');
    await expect(run(scheduler, 'dtab', 'set', 'ours', edited)).rejects.toThrow(
      'has changed since: it is at version 2',
    );
    expect(await run(scheduler, 'dtab', 'revert', 'ours')).toBe('ours is at version 3, as it was at version 1.\n');
    expect(await run(scheduler, 'dtab', 'delete', 'ours')).toContain('ours is deleted');
    expect(await run(scheduler, 'dtab', 'history', 'ours')).toMatch(
      /VERSION.*\n +4 .*deleted.*\n +3 .*reverted to version 1/,
    );
    expect(await run(scheduler, 'dtab', 'revert', 'ours', '2')).toContain('as it was at version 2');
    expect(JSON.parse(await run(scheduler, 'dtab', 'get', 'ours', '--json'))).toMatchObject({ version: 5 });
  });

  test('opens an editor, and writes over nothing that has changed meanwhile', async () => {
    const scheduler = await use.start();
    await run(scheduler, 'dtab', 'set', 'ours', fileWith('/svc => /#/io.l5d.marathon'));
    vi.stubEnv('VISUAL', '');
    vi.stubEnv('EDITOR', "sed -i 's,/svc =>,/host =>,'");
    expect(await run(scheduler, 'dtab', 'edit', 'ours')).toContain('ours is at version 2');
    expect(await run(scheduler, 'dtab', 'edit', 'ours')).toBe('Nothing was changed; ours stays at version 2.\n');

    // Wins over the other. As if somebody had been quicker since the namespace was read.
    vi.stubEnv('VISUAL', "sed -i -e 's,^# version .*,# version AAAAAAAAAAE=,' -e 's,/host =>,/mine =>,'");
    const refused = await run(scheduler, 'dtab', 'edit', 'ours').catch((error: Error) => error.message);
    expect(refused).toMatch(/has changed since: it is at version 2/);
    const [, file = ''] = /What you wrote is in (\S+);/.exec(refused) ?? [];
    expect(readFileSync(file, 'utf8')).toContain('/mine =>');
    rmSync(dirname(file), { recursive: true });

    vi.stubEnv('VISUAL', 'false');
    await expect(run(scheduler, 'dtab', 'edit', 'ours')).rejects.toThrow("the editor 'false' failed (exit code 1)");
  });

  test('says what is wrong, and where', async () => {
    const scheduler = await use.start();
    await expect(run(scheduler, 'dtab', 'set', 'a', fileWith('/svc => /x ;\n/y'))).rejects.toThrow('line 2, column 3');
    await expect(run(scheduler, 'dtab', 'get', 'nobody')).rejects.toMatchObject({ exitCode: 2 });
    await expect(run(scheduler, 'dtab', 'revert', 'nobody')).rejects.toMatchObject({ exitCode: 2 });
    await expect(run(scheduler, 'dtab', 'revert', 'default', 'x')).rejects.toMatchObject({ exitCode: 2 });
    await expect(run(scheduler, 'dtab', 'set', 'a', '/no/such/file')).rejects.toThrow('cannot be read (ENOENT)');
  });

  test('lists the names that a change would take away, and makes it with --force', async () => {
    const scheduler = await withWeb();
    scheduler.framework.set('S1', { taskId: 'proxy.1' as never });
    const proxy = scheduler.client('S1', 'proxy.1');
    await eventually('a session', () => proxy.session);
    await run(scheduler, 'dtab', 'set', 'ours', fileWith('/svc => /#/io.l5d.marathon'));
    await proxy.report({ names: [{ namespace: 'ours', name: '/svc/web' }] });
    await expect(run(scheduler, 'dtab', 'set', 'ours', fileWith('/svc => !'))).rejects.toThrow(
      /one name.*\n\/svc\/web$/s,
    );
    expect(await run(scheduler, 'dtab', 'set', 'ours', fileWith('/svc => !'), '--force')).toContain('version 2');
  });
});

describe('bind and delegate', () => {
  test('tell where a name leads, and how', async () => {
    const scheduler = await withWeb();
    await run(scheduler, 'dtab', 'set', 'ours', fileWith('/svc => /#/io.l5d.marathon'));
    expect(await run(scheduler, 'bind', '--namespace', 'ours', 'web')).toBe(
      '/svc/web\n  /#/io.l5d.marathon/web  127.0.36.1:21001\n',
    );
    const split = '/svc/web => 1 * /#/io.l5d.marathon/web-v2 & 3 * /#/io.l5d.marathon/web';
    expect(await run(scheduler, 'bind', '--namespace', 'ours', '--dtab', split, '/svc/web')).toBe(
      [
        '/svc/web',
        '    split',
        '    25 %  /#/io.l5d.marathon/web-v2  127.0.36.1:21002',
        '    75 %  /#/io.l5d.marathon/web  127.0.36.1:21001',
        '',
      ].join('\n'),
    );
    await expect(run(scheduler, 'bind', '--namespace', 'ours', 'nobody')).rejects.toMatchObject({ exitCode: 1 });
    expect(written).toBe('/svc/nobody\n    no such name\n');
    expect(await run(scheduler, 'delegate', '--namespace', 'ours', 'web')).toBe(
      [
        '/svc/web',
        '  /#/io.l5d.marathon/web  (/svc => /#/io.l5d.marathon)',
        '    /#/io.l5d.marathon/web  127.0.36.1:21001',
        '',
      ].join('\n'),
    );
    expect(JSON.parse(await run(scheduler, 'bind', '--json', '--namespace', 'ours', 'web'))).toMatchObject({
      type: 'leaf',
    });
  });
});

test('audit lists who changed what', async () => {
  const scheduler = await use.start();
  expect(await run(scheduler, 'audit')).toBe('Nothing was changed yet.\n');
  await run(scheduler, 'dtab', 'set', 'ours', fileWith('/x => /y'));
  await run(scheduler, 'freeze');
  const text = await run(scheduler, 'audit');
  expect(text).toMatch(
    /WHEN .*\n\S+Z {2}127\.0\.0\.1 {2}POST \/v1\/freeze.*\n.*PUT \/api\/1\/dtabs\/ours \(dtab ours\) +none → 1\n/,
  );
  expect(JSON.parse(await run(scheduler, 'audit', '--json', '--limit', '1'))).toHaveLength(1);
});
