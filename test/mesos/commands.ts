/** The commands that do something to the cluster, as the options give them. */
import { spawn } from 'node:child_process';
import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Stage } from './stage.ts';

const PATIENCE_MS = 30_000;
const AT_WORK = { kind: 'at work' } as const;
const SHOWN_CHARS = 500;

/**
 * Runs it by `/bin/sh`, with `{name}` filled in, until it has ended. One that starts an agent may leave it behind, or be the
 * agent itself: what it writes goes to a file, so that nothing breaks when these stories are over, and after half a minute
 * nobody waits any more. One that is killed has mostly done it itself (`pkill -f` finds its own shell), which is no failure:
 * the story will see what it did. @throws when it fails.
 */
export async function runCommand(
  stage: Pick<Stage, 'directory' | 'say'>,
  command: string,
  values: Readonly<Record<string, string>>,
): Promise<void> {
  const filled = Object.entries(values).reduce((text, [name, value]) => text.replaceAll(`{${name}}`, value), command);
  stage.say(`running: ${filled}`);
  const file = join(stage.directory, 'command.log');
  const log = await open(file, 'w');
  const child = spawn('/bin/sh', ['-c', filled], { detached: true, stdio: ['ignore', log.fd, log.fd] });
  child.unref();
  const ended = new Promise<{ kind: 'ended'; failure: string | null }>((resolve) => {
    child.once('error', (error) => resolve({ kind: 'ended', failure: error.message }));
    // Not `close`: what it left behind may keep the file open.
    child.once('exit', (code, signal) => {
      if (signal !== null) stage.say(`it was ended by ${signal}`);
      resolve({ kind: 'ended', failure: code === 0 || code === null ? null : `exit code ${code}` });
    });
  });
  await log.close();
  const patience = new AbortController();
  const outcome = await Promise.race([ended, sleep(PATIENCE_MS, AT_WORK, { signal: patience.signal })]);
  patience.abort();
  if (outcome.kind === 'at work') stage.say('it is still at work; going on');
  else if (outcome.failure !== null) {
    const words = (await readFile(file, 'utf8')).trim().slice(-SHOWN_CHARS);
    throw new Error(`'${filled}' failed (${outcome.failure}) ${words}`);
  }
}
