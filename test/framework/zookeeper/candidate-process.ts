/**
 * A candidate in a process of its own, which can be killed or paused. While it leads it asks its lease every few
 * milliseconds, as a leader does before each call, and writes down when it was told that it may act.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { build } from 'esbuild';
import { onTestFinished } from 'vitest';

const PROGRAM = `
  import { parseConnectString } from './connect-string.ts';
  import { elect } from './election.ts';
  import { openZooKeeper } from './open-zookeeper.ts';
  const [address, path, timeoutMs] = process.argv.slice(2);
  const session = await openZooKeeper(parseConnectString('zk://' + address), { timeoutMs: Number(timeoutMs) });
  const election = elect({ session, path, data: 'a process' });
  // One clock for all processes of the machine, unlike performance.now().
  const offset = Number(process.hrtime.bigint() / 1000n) / 1000 - performance.now();
  const lease = await election.elected;
  console.log('leading');
  lease.onLost((reason) => console.log('lost ' + reason));
  process.on('SIGTERM', () => election.resign().then(() => session.close()).then(() => process.exit()));
  setInterval(() => {
    const now = performance.now();
    if (lease.isValid(now)) console.log('act ' + (now + offset));
  }, 5);
`;

/** The candidate as one file, since Node.js 20 cannot read types. */
export async function bundleCandidate(): Promise<{ readonly file: string; remove(): Promise<void> }> {
  const directory = await mkdtemp(join(tmpdir(), 'nodemesh-candidate-'));
  const file = join(directory, 'candidate.mjs');
  const resolveDir = join(import.meta.dirname, '../../../framework/zookeeper');
  await build({
    stdin: { contents: PROGRAM, resolveDir, loader: 'ts' },
    bundle: true,
    platform: 'node',
    format: 'esm',
    outfile: file,
  });
  return { file, remove: () => rm(directory, { recursive: true }) };
}

export interface CandidateProcess {
  readonly child: ChildProcess;
  /** When it was last allowed to act, by `machineNow`; 0 for never. */
  readonly lastAct: number;
  /** Why it lost its lease, or null. */
  readonly lost: string | null;
  readonly leading: boolean;
}

/** Milliseconds of the clock that all processes of this machine share. */
export function machineNow(): number {
  return Number(process.hrtime.bigint() / 1000n) / 1000;
}

/** Starts a candidate; it is killed when the test ends. */
export function startCandidate(file: string, address: string, path: string, timeoutMs: number): CandidateProcess {
  const words = [file, address, path, String(timeoutMs)];
  const child = spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'inherit'] });
  const exit = once(child, 'exit');
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await exit;
  });
  const seen = { child, lastAct: 0, lost: null as string | null, leading: false };
  createInterface({ input: child.stdout }).on('line', (line) => {
    const [word, ...rest] = line.split(' ');
    if (word === 'leading') seen.leading = true;
    if (word === 'lost') seen.lost = rest.join(' ');
    if (word === 'act') seen.lastAct = Number(rest[0]);
  });
  return seen;
}
