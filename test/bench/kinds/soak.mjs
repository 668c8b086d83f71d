/** Memory in the long run: under steady load, and after callers asked for names without end. */
import { setTimeout as sleep } from 'node:timers/promises';
import { withEntrants } from '../entrant.mjs';
import { processTree } from '../measure/process-tree.mjs';
import { pssMegabytes } from '../measure/pss.mjs';
import { runWrk } from '../measure/sample.mjs';
import { rowOf } from '../rows.mjs';
import { mean } from '../statistics.mjs';
import { servicesOf } from '../topology.mjs';

/** Memory has settled by then. */
const FIRST_MINUTE = 3;
const STEADY_NAMES = 100;
const SLICE_SECONDS = 20;
const MOST_SLICES = 60;

/**
 * @param {import('../entrant.mjs').Context} context
 * @param {import('../scenarios.mjs').SoakScenario} scenario
 * @returns {Promise<import('../types.ts').Outcome>}
 */
export async function soak(context, { name, proxy, connections, minutes, distinctHosts }) {
  const proxies = context.proxies.filter((each) => each.name === proxy);
  // Every name is bound, so that each Host makes all that a known name makes.
  const services = servicesOf({ services: 1, endpoints: 1 }).map((service) => ({ ...service, name: '*' }));
  /** @type {import('../types.ts').Row[]} */
  const rows = [];
  await withEntrants(context, { proxies, services }, async (entrants) => {
    for (const entrant of entrants) {
      const steady = { host: 'any', path: '/', connections, seconds: 60, words: [`services=${STEADY_NAMES}`] };
      const minuteOfLoad = async () => {
        const [memMb] = await Promise.all([meanMemory(entrant, 60), runWrk(context, entrant.port, steady)]);
        return memMb;
      };
      for (let minute = 1; minute <= minutes; minute += 1) {
        const memMb = await minuteOfLoad();
        context.say(`${name}: minute ${minute} of ${minutes}: ${memMb.toFixed(1)} MB`);
        if (minute === FIRST_MINUTE) rows.push(rowOf(`${name}-minute-${FIRST_MINUTE}`, proxy, { memMb }));
        if (minute === minutes) rows.push(rowOf(`${name}-last-minute`, proxy, { memMb }));
      }
      let sent = 0;
      for (let slice = 0; slice < MOST_SLICES && sent < distinctHosts; slice += 1) {
        const words = [`distinct=${distinctHosts}`, `first=${sent}`];
        sent += (await runWrk(context, entrant.port, { ...steady, seconds: SLICE_SECONDS, words })).requests;
        context.say(`${name}: ${sent} distinct Hosts sent`);
      }
      if (sent < distinctHosts) context.note(`${name}: only ${sent} distinct Hosts were sent`);
      rows.push(rowOf(`${name}-after-distinct-hosts`, proxy, { memMb: await minuteOfLoad() }));
    }
  });
  return { rows, figures: {} };
}

/**
 * @param {import('../entrant.mjs').Entrant} entrant
 * @param {number} seconds
 * @returns {Promise<number>} MB, the mean of one reading a second
 */
async function meanMemory(entrant, seconds) {
  /** @type {number[]} */
  const readings = [];
  for (let second = 0; second < seconds; second += 1) {
    readings.push(pssMegabytes(entrant.processes.flatMap(({ pid }) => processTree(pid))));
    await sleep(1000);
  }
  return mean(readings);
}
