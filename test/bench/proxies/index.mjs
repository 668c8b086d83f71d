/** The proxies that are compared, in the order of the report. */
import { forwarder } from './forwarder.mjs';
import { haproxy, haproxyFeatures } from './haproxy.mjs';
import { nginx } from './nginx.mjs';
import { nodeHttp } from './node-http.mjs';
import { nodemesh, nodemeshFeatures } from './nodemesh.mjs';

/** @type {readonly import('../types.ts').ProxyForm[]} */
export const PROXIES = [haproxy, haproxyFeatures, nginx, nodeHttp, nodemesh, nodemeshFeatures];

/** Those that are measured only where they are named: `forwarder` is no proxy that anybody could use. */
const ON_DEMAND = [forwarder];

/**
 * @param {readonly string[] | null} names null: all that are compared
 * @returns {readonly import('../types.ts').ProxyForm[]}
 */
export function proxiesNamed(names) {
  return names === null ? PROXIES : [...PROXIES, ...ON_DEMAND].filter(({ name }) => names.includes(name));
}
