/** The proxies that are compared, in the order of the report. */
import { haproxy, haproxyFeatures } from './haproxy.mjs';
import { nginx } from './nginx.mjs';
import { nodeHttp } from './node-http.mjs';
import { nodemesh, nodemeshFeatures } from './nodemesh.mjs';

/** @type {readonly import('../types.ts').ProxyForm[]} */
export const PROXIES = [haproxy, haproxyFeatures, nginx, nodeHttp, nodemesh, nodemeshFeatures];
