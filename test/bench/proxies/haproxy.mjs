/** HAProxy in two forms: bare, and with what nodemesh's "all features" does. */
import { fillIn } from './template.mjs';

/** @type {import('../types.ts').ProxyForm} */
export const haproxy = {
  name: 'haproxy',
  what: 'HAProxy, nbthread 1, http-reuse always, no log',
  reference: 'haproxy',
  isScraped: false,
  plan: (site) => planWith('haproxy.cfg', site),
};

/** @type {import('../types.ts').ProxyForm} */
export const haproxyFeatures = {
  name: 'haproxy-features',
  what: 'the same with leastconn and five http-request set-header',
  reference: 'haproxy',
  isScraped: false,
  plan: (site) => planWith('haproxy-features.cfg', site),
};

/**
 * @param {string} template
 * @param {import('../types.ts').Site} site
 * @returns {import('../types.ts').ProxyPlan}
 */
function planWith(template, { port, services, directory }) {
  const text = fillIn(template, { port, backends: services.map(backendOf).join('\n') });
  return {
    files: [{ name: 'haproxy.cfg', text }],
    command: ['haproxy', '-db', '-q', '-f', `${directory}/haproxy.cfg`],
  };
}

/** @param {import('../types.ts').Service} service */
function backendOf({ name, endpoints }) {
  const servers = endpoints.map(({ address, port }, index) => `  server e${index} ${address}:${port}\n`);
  return `backend ${name}\n${servers.join('')}`;
}
