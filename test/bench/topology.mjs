/**
 * Services and the addresses of their endpoints. All of 127.0.0.0/8 is this machine, so each endpoint has an address of
 * its own, and all have the same port.
 */

const BACKEND_PORT = 18_080;
const FIRST_NETWORK = 101;
const HOSTS_PER_NETWORK = 250;

/**
 * @param {{ readonly services: number, readonly endpoints: number }} size
 * @returns {import('./types.ts').Service[]}
 */
export function servicesOf({ services, endpoints }) {
  return Array.from({ length: services }, (_, service) => ({
    name: serviceName(service),
    endpoints: Array.from({ length: endpoints }, (_unused, endpoint) => ({
      address: addressOf(service, endpoint),
      port: BACKEND_PORT,
    })),
  }));
}

/**
 * The same as in load.lua.
 *
 * @param {number} service from 0
 */
export function serviceName(service) {
  return `svc-${String(service).padStart(4, '0')}`;
}

/**
 * @param {number} service
 * @param {number} endpoint
 */
function addressOf(service, endpoint) {
  const network = Math.floor(service / HOSTS_PER_NETWORK);
  return `127.${FIRST_NETWORK + endpoint}.${network}.${1 + (service % HOSTS_PER_NETWORK)}`;
}
