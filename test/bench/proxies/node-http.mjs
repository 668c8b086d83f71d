/** The baseline: `node:http` and a keep-alive `Agent`. */
import { fileURLToPath } from 'node:url';

const PROGRAM = fileURLToPath(new URL('../programs/node-http-proxy.mjs', import.meta.url));

/** @type {import('../types.ts').ProxyForm} */
export const nodeHttp = {
  name: 'node-http',
  what: 'the bare node:http + keep-alive Agent proxy of programs/node-http-proxy.mjs',
  reference: 'haproxy',
  isScraped: false,
  plan: ({ port, services, directory }) => ({
    files: [{ name: 'services.json', text: JSON.stringify(services, null, 2) }],
    command: [process.execPath, PROGRAM, String(port), `${directory}/services.json`],
  }),
};
