/**
 * Runs a program to its end, handing on the signals that this process gets, so that Ctrl-C and SIGTERM stop both.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** @type {readonly NodeJS.Signals[]} */
const FORWARDED = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/**
 * @typedef {object} RunOptions
 * @property {string} cwd
 * @property {'stderr' | 'inherit' | 'collect'} output where both of its output streams go
 * @property {NodeJS.ProcessEnv} [env]
 */

/**
 * @param {string} program
 * @param {readonly string[]} words
 * @param {RunOptions} options
 * @returns {Promise<{ code: number, output: string }>} code 127 when it could not be started
 */
export async function run(program, words, options) {
  /** @type {import('node:child_process').StdioOptions} */
  const stdio =
    options.output === 'collect'
      ? ['ignore', 'pipe', 'pipe']
      : ['ignore', options.output === 'stderr' ? 2 : 'inherit', 'inherit'];
  const child = spawn(program, words, { cwd: options.cwd, env: options.env ?? process.env, stdio });
  /** @type {Buffer[]} */
  const collected = [];
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => collected.push(chunk));
  /** @param {NodeJS.Signals} signal */
  const forward = (signal) => child.kill(signal);
  for (const signal of FORWARDED) process.on(signal, forward);
  try {
    /** @type {unknown[]} */
    const [code, signal] = await once(child, 'close');
    if (signal !== null) {
      // The child was ended from outside: end in the same way, as a shell's `exec` would.
      for (const each of FORWARDED) process.off(each, forward);
      if (FORWARDED.some((each) => each === signal)) process.kill(process.pid, String(signal));
    }
    return { code: typeof code === 'number' ? code : 1, output: Buffer.concat(collected).toString() };
  } catch (error) {
    return { code: 127, output: `${program}: ${error instanceof Error ? error.message : String(error)}\n` };
  } finally {
    for (const signal of FORWARDED) process.off(signal, forward);
  }
}
