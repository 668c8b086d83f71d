/**
 * All that a run of the bench starts or writes: processes, each on its CPU, and one temporary directory. Leaving the
 * stage ends and removes all of it.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const KEPT_OUTPUT_BYTES = 64_000;
const PATIENCE_MS = 5000;

/**
 * A process that stays until it is stopped.
 *
 * @typedef {object} Running
 * @property {number} pid
 * @property {() => string} output the last of what it wrote
 * @property {() => number | string | null} ended its exit code or signal; null while it runs
 * @property {Promise<void>} end
 * @property {() => Promise<void>} stop
 */

export class Stage {
  /** @param {string} directory */
  constructor(directory) {
    /** @readonly */
    this.directory = directory;
    /**
     * @readonly
     * @type {Set<Running>}
     */
    this.running = new Set();
    this.isClosed = false;
  }

  static async open() {
    return new Stage(await mkdtemp(join(tmpdir(), 'nodemesh-bench-')));
  }

  /** @returns {Promise<void>} when all processes have ended */
  async close() {
    this.isClosed = true;
    await Promise.all([...this.running].map((process) => process.stop()));
    await rm(this.directory, { recursive: true, force: true });
  }

  /**
   * @param {string} folder
   * @param {readonly import('../types.ts').ConfigurationFile[]} files
   * @returns {Promise<void>}
   */
  async write(folder, files) {
    for (const { name, text } of files) {
      this.assertOpen();
      const file = join(this.directory, folder, name);
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, text);
    }
  }

  /**
   * @param {readonly [string, ...string[]]} command
   * @param {{ readonly cpus: readonly number[], readonly cwd?: string }} place
   * @returns {Running}
   */
  start(command, { cpus, cwd = this.directory }) {
    this.assertOpen();
    const [program, ...words] = bounded(command, cpus);
    const child = spawn(program, words, { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
    let text = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk) => {
        text = (text + chunk).slice(-KEPT_OUTPUT_BYTES);
      });
    }
    const end = once(child, 'close').then(
      () => undefined,
      (error) => {
        text += `${error instanceof Error ? error.message : String(error)}\n`;
      },
    );
    const stop = async () => {
      child.kill('SIGTERM');
      const patience = setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS);
      await end;
      clearTimeout(patience);
      this.running.delete(process);
    };
    const ended = () => child.exitCode ?? child.signalCode ?? (child.pid === undefined ? 127 : null);
    const process = { pid: child.pid ?? -1, output: () => text, ended, end, stop };
    this.running.add(process);
    return process;
  }

  /** Whoever is in the middle of a measurement when the stage is closed starts nothing more. */
  assertOpen() {
    if (this.isClosed) throw new Error('the bench was ended');
  }

  /**
   * Runs a program to its end.
   *
   * @param {readonly [string, ...string[]]} command
   * @param {{ readonly cpu: number, readonly seconds: number }} limits `seconds`: how long it may take
   * @returns {Promise<string>} what it wrote
   * @throws an Error when it fails or takes longer
   */
  async run(command, { cpu, seconds }) {
    const process = this.start(command, { cpus: [cpu] });
    const patience = new AbortController();
    await Promise.race([process.end, sleep(seconds * 1000, undefined, patience).catch(() => undefined)]);
    patience.abort();
    const ended = process.ended();
    await process.stop();
    if (ended === 0) return process.output();
    const how = ended === null ? `was still running after ${seconds} s` : `ended with ${ended}`;
    throw new Error(`${command[0]} ${how}: ${lastLine(process.output())}`);
  }
}

/**
 * A command on its CPUs, which the kernel ends whatever becomes of the bench.
 *
 * @param {readonly [string, ...string[]]} command
 * @param {readonly number[]} cpus
 * @returns {[string, ...string[]]}
 */
function bounded(command, cpus) {
  return ['setpriv', '--pdeathsig', 'TERM', 'taskset', '--cpu-list', cpus.join(','), ...command];
}

/** @param {string} text */
export function lastLine(text) {
  return text.trim().split('\n').at(-1) ?? '';
}
