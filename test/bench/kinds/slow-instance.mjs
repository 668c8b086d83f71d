/** Which part of the requests a balancer sends to an instance that is slower than its siblings, and what that costs. */
import { fileURLToPath } from 'node:url';
import { withEntrants } from '../entrant.mjs';
import { atRate } from '../measure/sample.mjs';
import { CfsQuota } from '../processes/cfs-quota.mjs';
import { get } from '../processes/ports.mjs';
import { attempt } from '../rounds.mjs';
import { rowsOf } from '../rows.mjs';
import { servicesOf } from '../topology.mjs';

const PROGRAM = fileURLToPath(new URL('../programs/instance.mjs', import.meta.url));

/**
 * @param {import('../entrant.mjs').Context} context
 * @param {import('../scenarios.mjs').SlowInstanceScenario} scenario
 * @returns {Promise<import('../types.ts').Outcome>}
 */
export async function slowInstance(context, scenario) {
  const quota = scenario.instances[0]?.cpuQuota;
  if (quota === undefined) return await measure(context, scenario, null);
  const opened = CfsQuota.open(quota);
  if (opened.kind === 'impossible') {
    context.note(`${scenario.name}: not measured: ${opened.why}`);
    return { rows: [], figures: {} };
  }
  try {
    return await measure(context, scenario, opened.quota);
  } finally {
    await opened.quota.close();
  }
}

/**
 * @param {import('../entrant.mjs').Context} context
 * @param {import('../scenarios.mjs').SlowInstanceScenario} scenario
 * @param {CfsQuota | null} quota of the first instance
 * @returns {Promise<import('../types.ts').Outcome>}
 */
async function measure(context, { name, instances, proxies, connections, rate, seconds }, quota) {
  const { stage, cores } = context;
  const services = servicesOf({ services: 1, endpoints: instances.length });
  const endpoints = services[0]?.endpoints ?? [];
  // Instances that compute need more than one core can give.
  const cpus = [
    ...new Set(instances.some(({ workMs }) => workMs > 0) ? [cores.backend, cores.proxy] : [cores.backend]),
  ];
  const backends = endpoints.map(({ address, port }, index) => () => {
    const { delayMs = 0, workMs = 0 } = instances[index] ?? {};
    const words = [address, port, delayMs, workMs].map(String);
    const running = stage.start([process.execPath, PROGRAM, ...words], { cpus });
    if (index === 0) quota?.add(running.pid);
    return running;
  });
  /** @type {Map<import('../types.ts').ProxyForm, import('../types.ts').Sample[]>} */
  const samples = new Map();
  /** @type {Record<string, number>} */
  const figures = {};
  await withEntrants(context, { proxies, services, backends }, async (entrants) => {
    for (const entrant of entrants) {
      const before = await countsOf(endpoints);
      const load = { host: services[0]?.name ?? '', path: '/', connections, seconds, rate };
      const sample = await attempt(context, name, entrant, () => atRate(context, entrant, load));
      if (sample === null) continue;
      const counts = (await countsOf(endpoints)).map((count, index) => count - (before[index] ?? 0));
      const share = (counts[0] ?? 0) / counts.reduce((sum, count) => sum + count, 0);
      samples.set(entrant.proxy, [sample]);
      figures[`${name}/${entrant.proxy.name}/share`] = share;
      context.note(`${name}: ${entrant.proxy.name}: ${(share * 100).toFixed(1)} % of requests to the slow instance`);
    }
  });
  return { rows: rowsOf(name, samples), figures };
}

/** @param {readonly import('../types.ts').Endpoint[]} endpoints */
async function countsOf(endpoints) {
  const answers = await Promise.all(endpoints.map((endpoint) => get(endpoint, '/count')));
  return answers.map(({ body }) => Number(body));
}
