/** Sandboxes on disk: where they are, and that logs stay small under a process that writes. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import {
  createSandbox,
  openLogs,
  removeSandbox,
  rotateLogs,
  sandboxPath,
} from '../../../local-cluster/agent/sandbox.ts';

async function sandbox(): Promise<{ workDir: string; directory: string }> {
  const workDir = await mkdtemp(join(tmpdir(), 'nodemesh-sandbox-'));
  onTestFinished(() => rm(workDir, { recursive: true, force: true }));
  const directory = sandboxPath(workDir, { agentId: 'a', frameworkId: 'f', taskId: 't', containerId: 'c' });
  await createSandbox(directory);
  return { workDir, directory };
}

describe('sandbox', () => {
  test('lies where a Mesos agent has it', async () => {
    const { workDir, directory } = await sandbox();
    expect(relative(workDir, directory)).toBe('slaves/a/frameworks/f/executors/t/runs/c');
  });

  test('no id leads out of the work directory', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('..', '.', '', '/etc', '../../x', 'a/b', 'a\0b', 'plain'),
        fc.string(),
        (taskId, other) => {
          const path = sandboxPath('/work', { agentId: other, frameworkId: other, taskId, containerId: 'c' });
          expect(relative('/work', path).split('/')).toHaveLength(8);
        },
      ),
    );
  });

  test('a log that grew too long is cut, its end kept beside it, and the process writes on', async () => {
    const { directory } = await sandbox();
    const logs = await openLogs(directory);
    const line = 'x'.repeat(99);
    const program = `for i in 1 2 3 4 5 6 7 8 9 10; do echo ${line}; done; echo last; read go; echo more`;
    const child = spawn('/bin/sh', ['-c', program], { stdio: ['pipe', logs.stdout.fd, logs.stderr.fd] });
    await Promise.all([logs.stdout.close(), logs.stderr.close()]);
    const stdout = join(directory, 'stdout');
    await expect.poll(async () => (await stat(stdout)).size).toBe(1_005);
    await rotateLogs(directory, 400);
    expect((await stat(stdout)).size).toBe(0);
    expect(await readFile(`${stdout}.1`, 'utf8')).toMatch(/^x+\nx{99}\nlast\n$/);
    child.stdin?.end('\n');
    await once(child, 'exit');
    expect(await readFile(stdout, 'utf8')).toBe('more\n');
    await rotateLogs(directory, 400);
    expect(await readFile(stdout, 'utf8')).toBe('more\n');
  });

  test('is removed with the directories that only it needed', async () => {
    const { workDir, directory } = await sandbox();
    await removeSandbox(directory);
    await expect(stat(join(workDir, 'slaves/a/frameworks/f/executors/t'))).rejects.toMatchObject({ code: 'ENOENT' });
    await removeSandbox(directory);
  });
});
