/** Rounds of measurements, interleaved: what disturbs the machine for a while disturbs all proxies. */

/** @typedef {import('./entrant.mjs').Context} Context */
/** @typedef {import('./entrant.mjs').Entrant} Entrant */
/** @typedef {import('./types.ts').ProxyForm} ProxyForm */
/** @typedef {import('./types.ts').Sample} Sample */

/** What the kernel itself and other services of the machine may take of the proxy's core. */
const TOLERATED = 0.05;

/**
 * Every entrant once a round, each round beginning with another one. An entrant that fails is out, with its samples.
 *
 * @param {Context} context
 * @param {string} name
 * @param {readonly Entrant[]} entrants
 * @param {(entrant: Entrant) => Promise<Sample>} measure
 * @param {number} rounds
 * @returns {Promise<Map<ProxyForm, Sample[]>>} in the order of the entrants; one sample a round
 */
export async function interleaved(context, name, entrants, measure, rounds) {
  /** @type {Map<ProxyForm, Sample[]>} */
  const samples = new Map(entrants.map(({ proxy }) => [proxy, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (const entrant of rotated(entrants, round)) {
      const list = samples.get(entrant.proxy);
      if (list === undefined) continue;
      const title = `${name}: round ${round + 1} of ${rounds}`;
      const sample = await attempt(context, title, entrant, measure);
      if (sample === null) samples.delete(entrant.proxy);
      else list.push(sample);
    }
  }
  return samples;
}

/**
 * @param {Context} context
 * @param {string} title
 * @param {Entrant} entrant
 * @param {(entrant: Entrant) => Promise<Sample>} measure
 * @returns {Promise<Sample | null>} null, and a note, when it fails
 */
export async function attempt(context, title, entrant, measure) {
  const who = `${title}: ${entrant.proxy.name}`;
  try {
    const sample = await measure(entrant);
    const { rps, cpuUs, p99Ms, busy, disturbed, errors } = sample;
    const figures = `${rps.toFixed(0)} requests/s, ${cpuUs.toFixed(1)} µs each, p99 ${p99Ms.toFixed(2)} ms`;
    context.say(`${who}: ${figures}, core ${(busy * 100).toFixed(0)} % busy`);
    if (disturbed > TOLERATED)
      context.note(`${who}: something else used ${(disturbed * 100).toFixed(0)} % of its core`);
    if (errors > 0) context.note(`${who}: ${errors} requests failed`);
    return sample;
  } catch (error) {
    context.note(`${who}: not measured: ${error instanceof Error ? error.message : String(error)}`);
    return null;
  }
}

/**
 * @template Item
 * @param {readonly Item[]} items
 * @param {number} by
 * @returns {Item[]}
 */
export function rotated(items, by) {
  const start = items.length === 0 ? 0 : by % items.length;
  return [...items.slice(start), ...items.slice(0, start)];
}
