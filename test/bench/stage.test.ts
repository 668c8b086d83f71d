/** What a run of the bench leaves behind: nothing. */
import { existsSync } from 'node:fs';
import { expect, it, onTestFinished } from 'vitest';
import { Stage } from './processes/stage.mjs';

async function openStage() {
  const stage = await Stage.open();
  onTestFinished(() => stage.close());
  return stage;
}

/** Throws for a process that is gone. */
function signalZero(pid: number): void {
  process.kill(pid, 0);
}

it('closing it ends every process and removes every file', async () => {
  const stage = await openStage();
  await stage.write('proxy', [{ name: 'deep/file', text: 'text' }]);
  const stubborn = ['sh', '-c', 'trap "" TERM; echo on; while :; do sleep 0.05; done'] as const;
  const processes = [stage.start(['sleep', '60'], { cpus: [0] }), stage.start(stubborn, { cpus: [0] })];
  for (const { pid } of processes) expect(() => signalZero(pid)).not.toThrow();
  await stage.close();
  for (const { pid } of processes) expect(() => signalZero(pid)).toThrow();
  expect(existsSync(stage.directory)).toBe(false);
});

it('once it is closed, nothing is started or written any more', async () => {
  const stage = await openStage();
  await stage.close();
  expect(() => stage.start(['sleep', '60'], { cpus: [0] })).toThrow('ended');
  await expect(stage.write('proxy', [{ name: 'file', text: '' }])).rejects.toThrow('ended');
  expect(existsSync(stage.directory)).toBe(false);
});

it('what a program writes is its result', async () => {
  const stage = await openStage();
  expect(await stage.run(['echo', 'hello'], { cpu: 0, seconds: 10 })).toBe('hello\n');
});

it('a program that fails, or that does not end, is an error that says so', async () => {
  const stage = await openStage();
  const failing = stage.run(['sh', '-c', 'echo the reason >&2; exit 3'], { cpu: 0, seconds: 10 });
  await expect(failing).rejects.toThrow('sh ended with 3: the reason');
  await expect(stage.run(['sleep', '60'], { cpu: 0, seconds: 0.2 })).rejects.toThrow('still running after 0.2 s');
});
