/** nodemesh, as it is built: `proxy.mjs` with one worker, in the forms that the scenarios compare. */
import { fillIn } from './template.mjs';

/** @type {import('../types.ts').ProxyForm} */
export const nodemesh = {
  name: 'nodemesh',
  what: 'nodemesh, routing by Host and dtab alone',
  reference: 'haproxy',
  isScraped: false,
  plan: (site) => planWith('nodemesh.yaml', site, { loadBalancer: 'p2c' }),
};

/** @type {import('../types.ts').ProxyForm} */
export const nodemeshFeatures = {
  name: 'nodemesh-features',
  what: 'nodemesh with EWMA, accrual, retry budget, metrics, trace headers, and Prometheus scraped each 5 s',
  reference: 'haproxy-features',
  isScraped: true,
  plan: (site) => planWith('nodemesh-features.yaml', site, {}),
};

/** @type {import('../types.ts').ProxyForm} */
export const nodemeshRoundRobin = {
  name: 'nodemesh-round-robin',
  what: 'nodemesh, bare, with the round robin balancer',
  reference: 'haproxy',
  isScraped: false,
  plan: (site) => planWith('nodemesh.yaml', site, { loadBalancer: 'roundRobin' }),
};

/**
 * @param {string} template
 * @param {import('../types.ts').Site} site
 * @param {Readonly<Record<string, string>>} values
 * @returns {import('../types.ts').ProxyPlan}
 */
function planWith(template, site, values) {
  const { port, adminPort, directory, services, dist } = site;
  const { files, ...routing } = services.every(({ endpoints }) => endpoints.length === 1)
    ? byDtab(services)
    : byFiles(services, directory);
  const text = fillIn(template, { port, adminPort, ...routing, ...values });
  return {
    files: [{ name: 'linkerd.yaml', text }, ...files],
    command: [process.execPath, `${dist}/proxy.mjs`, `${directory}/linkerd.yaml`, '--data-dir', `${directory}/state`],
  };
}

/**
 * Services of one endpoint need no namer.
 *
 * @param {readonly import('../types.ts').Service[]} services
 */
function byDtab(services) {
  const entries = services.flatMap(({ name, endpoints }) =>
    endpoints.map(({ address, port }) => `/svc/${name} => /$/inet/${address}/${port};`),
  );
  return { files: [], namers: '[]', dtab: entries.join('\n') };
}

/**
 * The others are in files of the io.l5d.fs namer: one a service, one line an endpoint.
 *
 * @param {readonly import('../types.ts').Service[]} services
 * @param {string} directory
 */
function byFiles(services, directory) {
  return {
    files: services.map((service) => ({ name: `services/${service.name}`, text: addressFile(service.endpoints) })),
    namers: `[{ kind: io.l5d.fs, rootDir: ${directory}/services }]`,
    dtab: '/svc => /#/io.l5d.fs;',
  };
}

/**
 * @param {readonly import('../types.ts').Endpoint[]} endpoints
 * @param {number} [weight] of each
 */
export function addressFile(endpoints, weight = 1) {
  return endpoints.map(({ address, port }) => `${address} ${port}${weight === 1 ? '' : ` * ${weight}`}\n`).join('');
}
