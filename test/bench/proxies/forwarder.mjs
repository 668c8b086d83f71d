/** The least that any proxy costs: a forwarder in C that knows nothing of HTTP. Compiled where it is asked for. */
import { fileURLToPath } from 'node:url';

const SOURCE = fileURLToPath(new URL('../programs/forwarder.c', import.meta.url));

/** @type {import('../types.ts').ProxyForm} */
export const forwarder = {
  name: 'forwarder',
  what: 'programs/forwarder.c, which knows nothing of HTTP: what the kernel costs any proxy; needs a C compiler',
  reference: 'haproxy',
  isScraped: false,
  plan: ({ port, services, directory }) => ({
    files: [{ name: 'addresses', text: services.flatMap(({ endpoints }) => endpoints.map(lineOf)).join('') }],
    command: [
      'sh',
      '-c',
      COMPILE_AND_RUN,
      'sh',
      SOURCE,
      directory,
      String(port),
      String(services[0]?.endpoints.length),
    ],
  }),
};

const COMPILE_AND_RUN = 'cc -O2 -o "$2/forwarder" "$1" && exec "$2/forwarder" "$3" "$4" "$2/addresses"';

/** @param {import('../types.ts').Endpoint} endpoint */
function lineOf({ address, port }) {
  return `${address} ${port}\n`;
}
