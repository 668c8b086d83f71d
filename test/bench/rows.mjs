/** From the samples of all rounds to one row a proxy. Pure. */
import { median } from './statistics.mjs';

/** @typedef {ReadonlyMap<import('./types.ts').ProxyForm, readonly import('./types.ts').Sample[]>} Samples */

/** @type {import('./types.ts').Row} */
const EMPTY = {
  scenario: '',
  proxy: '',
  rps: null,
  cpuUs: null,
  p50Ms: null,
  p99Ms: null,
  p999Ms: null,
  memMb: null,
  ratio: { rps: null, cpu: null, p99: null, mem: null },
};

/**
 * A row of the values that a scenario has.
 *
 * @param {string} scenario
 * @param {string} proxy
 * @param {Partial<import('./types.ts').Row>} values
 * @returns {import('./types.ts').Row}
 */
export function rowOf(scenario, proxy, values) {
  return { ...EMPTY, ...values, scenario, proxy };
}

/**
 * Each value is the median over the rounds, and each ratio the median of the ratios of each round: proxies that were
 * measured right after each other met the same disturbances.
 *
 * @param {string} scenario
 * @param {Samples} samples
 * @returns {import('./types.ts').Row[]}
 */
export function rowsOf(scenario, samples) {
  const named = new Map([...samples].map(([proxy, list]) => [proxy.name, list]));
  return [...samples].map(([proxy, list]) => {
    const of = (/** @type {keyof import('./types.ts').Sample} */ key) => median(list.map((sample) => sample[key]));
    const reference = named.get(proxy.reference) ?? [];
    return rowOf(scenario, proxy.name, {
      rps: of('rps'),
      cpuUs: of('cpuUs'),
      p50Ms: of('p50Ms'),
      p99Ms: of('p99Ms'),
      p999Ms: of('p999Ms'),
      memMb: of('memMb'),
      ratio: {
        rps: medianRatio(list, reference, 'rps'),
        cpu: medianRatio(list, reference, 'cpuUs'),
        p99: medianRatio(list, reference, 'p99Ms'),
        mem: medianRatio(list, reference, 'memMb'),
      },
    });
  });
}

/**
 * @param {readonly import('./types.ts').Sample[]} samples
 * @param {readonly import('./types.ts').Sample[]} reference of the same rounds
 * @param {keyof import('./types.ts').Sample} key
 * @returns {number | null} null without a reference
 */
export function medianRatio(samples, reference, key) {
  const ratios = samples.flatMap((sample, round) => {
    const other = reference[round];
    return other === undefined ? [] : [sample[key] / other[key]];
  });
  return ratios.length === 0 ? null : median(ratios);
}
