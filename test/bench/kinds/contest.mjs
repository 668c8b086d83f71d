/**
 * The usual scenario: every proxy at saturation, rounds interleaved; then, where the scenario says so, every proxy at
 * the same rate, which is 70 % of what the slowest can do.
 */
import { withEntrants } from '../entrant.mjs';
import { atRate, atSaturation, runWrk } from '../measure/sample.mjs';
import { interleaved } from '../rounds.mjs';
import { rowsOf } from '../rows.mjs';
import { median } from '../statistics.mjs';
import { servicesOf } from '../topology.mjs';

const WARM_UP_SECONDS = 2;
const FIXED_RATE = 0.7;
/** The part of its core that a proxy at its limit uses, but for what the kernel takes. */
const SATURATED = 0.9;

/**
 * @param {import('../entrant.mjs').Context} context
 * @param {import('../scenarios.mjs').ContestScenario} scenario
 * @returns {Promise<import('../types.ts').Outcome>}
 */
export async function contest(context, scenario) {
  const { name, topology, inRow, seconds = context.seconds, rounds = context.rounds } = scenario;
  const services = servicesOf(topology);
  const load = { host: services[0]?.name ?? '', ...scenario.load, seconds };
  /** @type {import('../types.ts').Row[]} */
  const rows = [];
  await withEntrants(context, { proxies: context.proxies, services, inRow }, async (entrants) => {
    for (const entrant of entrants) await runWrk(context, entrant.port, { ...load, seconds: WARM_UP_SECONDS });
    const best = await interleaved(context, name, entrants, (each) => atSaturation(context, each, load), rounds);
    rows.push(...rowsOf(name, best));
    // One connection alone waits most of the time, whatever the proxy.
    if (load.connections > 1) noteUnsaturated(context, name, best);
    if (!scenario.fixedRate || best.size === 0) return;
    const highest = [...best.values()].map((samples) => median(samples.map(({ rps }) => rps)));
    const rate = Math.round(FIXED_RATE * Math.min(...highest));
    const paced = `${name}-fixed-rate`;
    context.note(`${paced}: ${rate} requests/s, 70 % of the slowest proxy's highest rate`);
    const left = entrants.filter(({ proxy }) => best.has(proxy));
    const atThatRate = (/** @type {import('../entrant.mjs').Entrant} */ each) =>
      atRate(context, each, { ...load, rate });
    rows.push(...rowsOf(paced, await interleaved(context, paced, left, atThatRate, rounds)));
  });
  return { rows, figures: {} };
}

/**
 * Where clients and backend need more of their core than the proxy of its own, the proxy is not at its limit: it is
 * woken more often for less work, and a request costs more.
 *
 * @param {import('../entrant.mjs').Context} context
 * @param {string} name
 * @param {import('../rows.mjs').Samples} samples
 */
function noteUnsaturated(context, name, samples) {
  const idle = [...samples].flatMap(([proxy, list]) => {
    const busy = median(list.map((sample) => sample.busy));
    return busy < SATURATED ? [`${proxy.name} ${(busy * 100).toFixed(0)} %`] : [];
  });
  if (idle.length > 0) context.note(`${name}: not all kept their core busy: ${idle.join(', ')}`);
}
