/**
 * A candidate in a process of its own, which can be killed or paused. While it leads it asks its lease every few
 * milliseconds, as a leader does before each call, and writes down when it was told that it may act.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { onTestFinished } from 'vitest';

const PROGRAM = `
  import { build } from 'esbuild';
  const contents = [
    "export { parseConnectString } from './connect-string.ts';",
    "export { openZooKeeper } from './open-zookeeper.ts';",
    "export { elect } from './election.ts';",
  ].join('\\n');
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: 'framework/zookeeper', loader: 'ts' },
    bundle: true, write: false, platform: 'node', format: 'esm',
  });
  const code = 'data:text/javascript;base64,' + Buffer.from(outputFiles[0].text).toString('base64');
  const { parseConnectString, openZooKeeper, elect } = await import(code);
  const [address, path, timeoutMs] = process.argv.slice(1);
  const session = await openZooKeeper(parseConnectString('zk://' + address), { timeoutMs: Number(timeoutMs) });
  const election = elect({ session, path, data: 'a process' });
  // One clock for all processes of the machine, unlike performance.now().
  const machineNow = () => Number(process.hrtime.bigint() / 1000n) / 1000;
  const offset = machineNow() - performance.now();
  console.log('standing');
  const lease = await election.elected;
  console.log('leading');
  lease.onLost((reason) => console.log('lost ' + reason));
  process.on('SIGTERM', () => election.resign().then(() => session.close()).then(() => process.exit()));
  setInterval(() => {
    const now = performance.now();
    if (lease.isValid(now)) console.log('act ' + (now + offset));
  }, 5);
`;

export interface CandidateProcess {
  readonly child: ChildProcess;
  /** When it was last allowed to act, by `machineNow`; 0 for never. */
  readonly lastAct: number;
  /** Why it lost its lease, or null. */
  readonly lost: string | null;
  readonly leading: boolean;
  readonly standing: boolean;
}

/** Milliseconds of the clock that all processes of this machine share. */
export function machineNow(): number {
  return Number(process.hrtime.bigint() / 1000n) / 1000;
}

/** Starts a candidate; it is killed when the test ends. */
export function startCandidate(address: string, path: string, timeoutMs: number): CandidateProcess {
  const words = ['--input-type=module', '-e', PROGRAM, address, path, String(timeoutMs)];
  const child = spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'inherit'] });
  const exit = once(child, 'exit');
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await exit;
  });
  const seen = { child, lastAct: 0, lost: null as string | null, leading: false, standing: false };
  createInterface({ input: child.stdout }).on('line', (line) => {
    const [word, ...rest] = line.split(' ');
    if (word === 'standing') seen.standing = true;
    if (word === 'leading') seen.leading = true;
    if (word === 'lost') seen.lost = rest.join(' ');
    if (word === 'act') seen.lastAct = Number(rest[0]);
  });
  return seen;
}
