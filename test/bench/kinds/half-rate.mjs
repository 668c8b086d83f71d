/** p99 of all proxies at the same rate: half of the highest that HAProxy has here. */
import { withEntrants } from '../entrant.mjs';
import { connectionsFor } from '../load/h2load.mjs';
import { atRate, runWrk } from '../measure/sample.mjs';
import { interleaved } from '../rounds.mjs';
import { rowsOf } from '../rows.mjs';
import { median } from '../statistics.mjs';
import { servicesOf } from '../topology.mjs';

/** The line that this is for asks for the median of five. */
const ROUNDS = 5;
const CALIBRATIONS = 3;
const WARM_UP_SECONDS = 2;

/**
 * @param {import('../entrant.mjs').Context} context
 * @param {import('../scenarios.mjs').HalfRateScenario} scenario
 * @returns {Promise<import('../types.ts').Outcome>}
 */
export async function halfRate(context, scenario) {
  const services = servicesOf(scenario.topology);
  const load = {
    host: services[0]?.name ?? '',
    path: '/',
    connections: scenario.connections,
    seconds: context.seconds,
  };
  const proxies = context.proxies.filter(({ name }) => scenario.proxies.includes(name));
  /** @type {import('../types.ts').Row[]} */
  const rows = [];
  await withEntrants(context, { proxies, services }, async (entrants) => {
    const haproxy = entrants.find(({ proxy }) => proxy.name === 'haproxy');
    if (haproxy === undefined) {
      context.note(`${scenario.name}: not measured: it needs haproxy, whose highest rate it halves`);
      return;
    }
    for (const entrant of entrants) await runWrk(context, entrant.port, { ...load, seconds: WARM_UP_SECONDS });
    /** @type {number[]} */
    const highest = [];
    for (let run = 0; run < CALIBRATIONS; run += 1) {
      const { requests, seconds } = await runWrk(context, haproxy.port, { ...load, seconds: WARM_UP_SECONDS });
      highest.push(requests / seconds);
    }
    const rate = Math.round(median(highest) / 2);
    context.note(`${scenario.name}: ${rate} requests/s, half of HAProxy's highest rate`);
    const rounds = Math.max(ROUNDS, context.rounds);
    const paced = { ...load, rate, connections: connectionsFor(rate, load.connections) };
    const measure = (/** @type {import('../entrant.mjs').Entrant} */ each) => atRate(context, each, paced);
    rows.push(...rowsOf(scenario.name, await interleaved(context, scenario.name, entrants, measure, rounds)));
  });
  return { rows, figures: {} };
}
