/** The configurations that the proxies get, for reading. */
import { backendPlan } from './proxies/nginx.mjs';
import { servicesOf } from './topology.mjs';

/**
 * @param {readonly import('./types.ts').ProxyForm[]} proxies
 * @param {string} dist
 * @returns {string} as for one service of five endpoints
 */
export function configurationsOf(proxies, dist) {
  const services = servicesOf({ services: 1, endpoints: 5 });
  const site = { port: 4140, adminPort: 9990, services, dist };
  const plans = proxies.map((proxy) => {
    const directory = `/tmp/${proxy.name}`;
    return { title: `${proxy.name}: ${proxy.what}`, ...proxy.plan({ ...site, directory }) };
  });
  const { files, command } = backendPlan('/tmp/backend', services);
  const backend = { title: 'the backend', files: files.filter(({ name }) => name.endsWith('.conf')), command };
  return [...plans, backend]
    .map((plan) => {
      const texts = plan.files.map(({ name, text }) => `--- ${name}\n${text.trimEnd()}\n`);
      return `=== ${plan.title}\n$ ${plan.command.join(' ')}\n${texts.join('')}`;
    })
    .join('\n');
}
