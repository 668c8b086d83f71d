/** nginx: as a proxy, and as the backend of all. */
import { userInfo } from 'node:os';
import { fillIn } from './template.mjs';

const MAX_FILES = 16_000;
/** Idle connections that nginx keeps to one service. */
const KEPT_CONNECTIONS = 512;
/** Where the backend asks itself. */
const ANSWER = '127.100.0.1:18080';

/** @type {import('../types.ts').ProxyForm} */
export const nginx = {
  name: 'nginx',
  what: 'nginx, one worker, keep-alive upstream groups, no log',
  reference: 'haproxy',
  isScraped: false,
  plan: ({ port, services, directory }) => {
    const upstreams = services.map(upstreamOf).join('\n');
    return planWith('nginx.conf', directory, { port, upstreams });
  },
};

/**
 * @param {string} directory
 * @param {readonly import('../types.ts').Service[]} services
 * @returns {import('../types.ts').ProxyPlan}
 */
export function backendPlan(directory, services) {
  const addresses = services.flatMap(({ endpoints }) => endpoints.map(({ address, port }) => `${address}:${port}`));
  const listens = addresses.map((address) => `listen ${address} backlog=4096;`).join('\n');
  const { files, command } = planWith('backend.conf', directory, { listens, answer: ANSWER });
  const bodies = [
    { name: '64k', text: 'x'.repeat(65_536) },
    { name: '1m', text: 'x'.repeat(1_048_576) },
  ];
  return { files: [...files, ...bodies], command };
}

/**
 * @param {string} template
 * @param {string} directory
 * @param {Readonly<Record<string, string | number>>} values
 * @returns {import('../types.ts').ProxyPlan}
 */
function planWith(template, directory, values) {
  // As root its workers would be somebody else, who may not read the directory.
  const user = process.getuid?.() === 0 ? `user ${userInfo().username};` : '';
  const text = fillIn(template, { directory, user, maxFiles: MAX_FILES, ...values });
  return { files: [{ name: 'nginx.conf', text }], command: ['nginx', '-c', `${directory}/nginx.conf`] };
}

/** @param {import('../types.ts').Service} service */
function upstreamOf({ name, endpoints }) {
  const servers = endpoints.map(({ address, port }) => `  server ${address}:${port};\n`).join('');
  const kept = `  keepalive ${KEPT_CONNECTIONS};\n  keepalive_requests 1000000000;\n`;
  return `upstream ${name} {\n${servers}${kept}}`;
}
