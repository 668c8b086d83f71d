/** One measurement of one entrant: what the load generator saw, and what it cost the proxy. */
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { scrape } from '../entrant.mjs';
import { h2loadCommand, parseH2load } from '../load/h2load.mjs';
import { parseWrk, wrkCommand } from '../load/wrk.mjs';
import { busySeconds } from './core.mjs';
import { cpuNanoseconds } from './cpu.mjs';
import { processTree } from './process-tree.mjs';
import { pssMegabytes } from './pss.mjs';

const SCRAPED_EACH_MS = 5000;
/** When memory is read: under load, with all connections open. */
const MEMORY_AT = 0.8;
/** Beyond the time that a load generator was told to take. */
const PATIENCE_SECONDS = 30;

/**
 * @typedef {object} Load
 * @property {string} host
 * @property {string} path
 * @property {number} connections
 * @property {number} seconds
 * @property {boolean} [close]
 * @property {readonly string[]} [words] for load.lua
 */

/**
 * At saturation.
 *
 * @param {import('../entrant.mjs').Context} context
 * @param {import('../entrant.mjs').Entrant} entrant
 * @param {Load} load
 */
export function atSaturation(context, entrant, load) {
  return measured(context, entrant, load.seconds, () => runWrk(context, entrant.port, load));
}

/**
 * At a fixed rate.
 *
 * @param {import('../entrant.mjs').Context} context
 * @param {import('../entrant.mjs').Entrant} entrant
 * @param {Load & { readonly rate: number }} load
 */
export function atRate(context, entrant, load) {
  return measured(context, entrant, load.seconds, () => runH2load(context, entrant.port, load));
}

/**
 * @param {import('../entrant.mjs').Context} context
 * @param {number} port
 * @param {Load} load
 */
export async function runWrk({ stage, cores }, port, { path, ...load }) {
  const command = wrkCommand({ url: `http://127.0.0.1:${port}${path}`, ...load });
  return parseWrk(await stage.run(command, { cpu: cores.clients, seconds: load.seconds + PATIENCE_SECONDS }));
}

/**
 * @param {import('../entrant.mjs').Context} context
 * @param {number} port
 * @param {Load & { readonly rate: number }} load
 */
export async function runH2load({ stage, cores }, port, load) {
  const logFile = join(stage.directory, 'h2load.log');
  await rm(logFile, { force: true });
  const command = h2loadCommand({ ...load, port, logFile });
  const output = await stage.run(command, { cpu: cores.clients, seconds: load.seconds * 3 + PATIENCE_SECONDS });
  return parseH2load(output, await readFile(logFile, 'utf8'), (1000 * load.connections) / load.rate);
}

/**
 * @param {import('../entrant.mjs').Context} context
 * @param {import('../entrant.mjs').Entrant} entrant
 * @param {number} seconds
 * @param {() => Promise<import('../types.ts').LoadResult>} run
 * @returns {Promise<import('../types.ts').Sample>}
 */
async function measured({ cores }, entrant, seconds, run) {
  const pids = entrant.processes.flatMap((process) => processTree(process.pid));
  const endScraping = entrant.proxy.isScraped ? scrape(entrant, SCRAPED_EACH_MS) : async () => 0;
  const memory = sleep(seconds * 1000 * MEMORY_AT).then(() => pssMegabytes(pids));
  const [since, coreBefore, before] = [performance.now(), busySeconds(cores.proxy), cpuNanoseconds(pids)];
  const { requests, errors, p50Ms, p99Ms, p999Ms, seconds: took } = await run().finally(endScraping);
  const cpuSeconds = (cpuNanoseconds(pids) - before) / 1e9;
  const elapsed = (performance.now() - since) / 1000;
  const busy = cpuSeconds / elapsed;
  return {
    rps: requests / took,
    cpuUs: (cpuSeconds * 1e6) / requests,
    p50Ms,
    p99Ms,
    p999Ms,
    memMb: await memory,
    busy,
    disturbed: Math.max(0, (busySeconds(cores.proxy) - coreBefore) / elapsed - busy),
    errors,
  };
}
