/**
 * p99 of one proxy, quiet and while something else keeps it busy, in turns. What the disturbance costs the machine (a
 * core that writes files) is there in the quiet turns too, so that only the proxy's part of it is seen.
 */
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { scrape, withEntrants } from '../entrant.mjs';
import { atRate, runWrk } from '../measure/sample.mjs';
import { addressFile } from '../proxies/nodemesh.mjs';
import { attempt } from '../rounds.mjs';
import { rowsOf } from '../rows.mjs';
import { servicesOf } from '../topology.mjs';

/** @typedef {import('../entrant.mjs').Context} Context */
/** @typedef {import('../entrant.mjs').Entrant} Entrant */

const EACH_MS = 1000;
const WARM_UP_SECONDS = 5;

/**
 * @param {Context} context
 * @param {import('../scenarios.mjs').DisturbanceScenario} scenario
 * @returns {Promise<import('../types.ts').Outcome>}
 */
export async function disturbance(context, scenario) {
  const services = servicesOf(scenario.topology);
  const load = {
    host: services[0]?.name ?? '',
    path: '/',
    connections: scenario.connections,
    seconds: context.seconds,
  };
  const proxies = context.proxies.filter(({ name }) => name === scenario.proxy);
  /** @type {import('../types.ts').Row[]} */
  const rows = [];
  await withEntrants(context, { proxies, services }, async (entrants) => {
    for (const ready of entrants) {
      // Scraped here only as the scenario says.
      const entrant = { ...ready, proxy: { ...ready.proxy, isScraped: false } };
      const words = [`services=${scenario.topology.services}`];
      await runWrk(context, entrant.port, { ...load, seconds: WARM_UP_SECONDS, words });
      /** @type {Record<'quiet' | 'disturbed', import('../types.ts').Sample[]>} */
      const samples = { quiet: [], disturbed: [] };
      for (let turn = 0; turn < context.rounds * 2; turn += 1) {
        const state = turn % 2 === 0 ? 'quiet' : 'disturbed';
        const end = await begin(scenario.by, context, entrant, services, state === 'disturbed');
        const measure = () => atRate(context, entrant, { ...load, rate: scenario.rate });
        const sample = await attempt(context, `${scenario.name}: ${state}`, entrant, measure);
        context.say(`${scenario.name}: ${state}${await end()}`);
        if (sample !== null) samples[state].push(sample);
      }
      for (const state of /** @type {const} */ (['quiet', 'disturbed'])) {
        rows.push(...rowsOf(`${scenario.name}-${state}`, new Map([[entrant.proxy, samples[state]]])));
      }
    }
  });
  return { rows, figures: {} };
}

/**
 * @param {'scrape' | 'table-update'} by
 * @param {Context} context
 * @param {Entrant} entrant
 * @param {readonly import('../types.ts').Service[]} services
 * @param {boolean} isDisturbed false: only what the disturbance costs others
 * @returns {Promise<() => Promise<string>>} ends it, and tells what it did
 */
async function begin(by, context, entrant, services, isDisturbed) {
  if (by === 'scrape') {
    if (!isDisturbed) return async () => '';
    const end = scrape(entrant, EACH_MS);
    return async () => `: scraped each second, ${((await end()) / 1e6).toFixed(2)} MB`;
  }
  const folder = isDisturbed ? join(entrant.directory, 'services') : join(context.stage.directory, 'unwatched');
  await mkdir(folder, { recursive: true });
  return await updateTable(folder, services);
}

/**
 * Once a second, every endpoint of every service gets another weight.
 *
 * @param {string} folder
 * @param {readonly import('../types.ts').Service[]} services
 * @returns {Promise<() => Promise<string>>}
 */
async function updateTable(folder, services) {
  const ending = new AbortController();
  let updates = 0;
  const forever = (async () => {
    while (!ending.signal.aborted) {
      updates += 1;
      for (const { name, endpoints } of services) {
        const text = addressFile(endpoints, updates % 2 === 1 ? 2 : 1);
        // Hidden from the namer until it is complete.
        const unfinished = join(folder, '..', `${name}.unfinished`);
        await writeFile(unfinished, text);
        await rename(unfinished, join(folder, name));
      }
      // Ended early by its signal, which the loop then sees.
      await sleep(EACH_MS, undefined, ending).catch(() => undefined);
    }
  })();
  return async () => {
    ending.abort();
    await forever;
    return `: ${updates} updates of all ${services.length} services`;
  };
}
