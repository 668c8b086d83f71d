/** What is measured, as data. `npm run bench` runs the short ones, `--scenario all` all of them. */

/** @typedef {{ readonly services: number, readonly endpoints: number }} Topology `endpoints` of each service */

/**
 * @typedef {object} Common
 * @property {string} name
 * @property {string} what
 * @property {boolean} isShort
 */

/**
 * @typedef {object} ContestOnly
 * @property {'contest'} kind
 * @property {Topology} topology
 * @property {{ readonly path: string, readonly connections: number, readonly close?: boolean, readonly words?: readonly string[] }} load
 * @property {boolean} fixedRate measured at one rate for all, too
 * @property {number} inRow proxies that a request goes through
 * @property {number} [rounds] where it is not for the command line to say
 * @property {number} [seconds] likewise
 */

/**
 * @typedef {object} HalfRateOnly
 * @property {'half-rate'} kind
 * @property {Topology} topology
 * @property {number} connections
 * @property {readonly string[]} proxies
 */

/**
 * @typedef {object} DisturbanceOnly
 * @property {'disturbance'} kind
 * @property {'scrape' | 'table-update'} by
 * @property {Topology} topology
 * @property {string} proxy
 * @property {number} connections
 * @property {number} rate requests a second
 */

/**
 * @typedef {object} SoakOnly
 * @property {'soak'} kind
 * @property {string} proxy
 * @property {number} connections
 * @property {number} minutes
 * @property {number} distinctHosts
 */

/**
 * @typedef {object} SlowInstanceOnly
 * @property {'slow-instance'} kind
 * @property {readonly Instance[]} instances the slow one first
 * @property {readonly import('./types.ts').ProxyForm[]} proxies
 * @property {number} connections
 * @property {number} rate requests a second
 * @property {number} seconds
 */

/**
 * @typedef {object} Instance
 * @property {number} delayMs that it waits before it answers
 * @property {number} workMs that it computes before it answers
 * @property {number} [cpuQuota] CPUs that CFS lets it have
 */

/** @typedef {Common & ContestOnly} ContestScenario */
/** @typedef {Common & HalfRateOnly} HalfRateScenario */
/** @typedef {Common & DisturbanceOnly} DisturbanceScenario */
/** @typedef {Common & SoakOnly} SoakScenario */
/** @typedef {Common & SlowInstanceOnly} SlowInstanceScenario */
/** @typedef {ContestScenario | HalfRateScenario | DisturbanceScenario | SoakScenario | SlowInstanceScenario} Scenario */

import { haproxy, haproxyFeatures } from './proxies/haproxy.mjs';
import { nodemesh, nodemeshFeatures, nodemeshRoundRobin } from './proxies/nodemesh.mjs';

const FEW = { services: 1, endpoints: 5 };
const MANY = { services: 1000, endpoints: 5 };
const MEGABYTE = 1_048_576;

const USUAL = /** @type {const} */ ({ kind: 'contest', isShort: false, topology: FEW, fixedRate: false, inRow: 1 });

/** @type {readonly Scenario[]} */
export const SCENARIOS = [
  {
    ...USUAL,
    name: 'keepalive-1',
    what: 'a small body over one kept connection',
    load: { path: '/', connections: 1 },
    fixedRate: true,
  },
  {
    ...USUAL,
    name: 'keepalive-64',
    what: 'a small body over 64 kept connections',
    isShort: true,
    load: { path: '/', connections: 64 },
    fixedRate: true,
  },
  {
    ...USUAL,
    name: 'keepalive-512',
    what: 'a small body over 512 kept connections',
    load: { path: '/', connections: 512 },
    fixedRate: true,
  },
  {
    ...USUAL,
    name: 'body-64k',
    what: 'responses of 64 kB',
    load: { path: '/64k', connections: 64 },
    fixedRate: true,
  },
  { ...USUAL, name: 'stream-1m-down', what: 'responses of 1 MB', load: { path: '/1m', connections: 8 } },
  {
    ...USUAL,
    name: 'stream-1m-up',
    what: 'requests of 1 MB',
    load: { path: '/upload', connections: 8, words: [`body=${MEGABYTE}`] },
  },
  {
    ...USUAL,
    name: 'new-connection',
    what: 'a new connection for each request',
    load: { path: '/', connections: 64, close: true },
  },
  {
    ...USUAL,
    name: 'linker-to-linker',
    what: 'two proxies in a row',
    load: { path: '/', connections: 64 },
    inRow: 2,
  },
  {
    ...USUAL,
    name: 'services-1',
    what: 'configured for 1,000 services of 5 endpoints, one of them called',
    topology: MANY,
    load: { path: '/', connections: 64, words: ['services=1'] },
  },
  {
    ...USUAL,
    name: 'services-1000',
    what: '1,000 services of 5 endpoints called uniformly',
    topology: MANY,
    load: { path: '/', connections: 64, words: ['services=1000'] },
  },
  {
    ...USUAL,
    name: 'memory-services',
    what: 'memory with 1,000 services of 5 endpoints and 1,000 open connections, after 60 s of load',
    topology: MANY,
    load: { path: '/', connections: 1000, words: ['services=1000'] },
    // Memory is read when four fifths are over.
    seconds: 75,
    rounds: 1,
  },
  {
    kind: 'half-rate',
    name: 'p99-half-rate',
    what: "p99 at half of HAProxy's highest rate, 5 rounds",
    isShort: true,
    topology: FEW,
    connections: 64,
    proxies: ['haproxy', 'nodemesh', 'nodemesh-features'],
  },
  {
    kind: 'disturbance',
    name: 'scrape',
    what: 'p99 while the metrics of 1,000 services are scraped each second',
    isShort: false,
    by: 'scrape',
    topology: MANY,
    proxy: 'nodemesh-features',
    connections: 64,
    rate: 5000,
  },
  {
    kind: 'disturbance',
    name: 'table-update',
    what: 'p99 while 5,000 endpoints are updated each second',
    isShort: false,
    by: 'table-update',
    topology: MANY,
    proxy: 'nodemesh-features',
    connections: 64,
    rate: 5000,
  },
  {
    kind: 'slow-instance',
    name: 'ewma-slow',
    what: 'five instances, one of them 20 × slower: EWMA and round robin',
    isShort: false,
    instances: [200, 10, 10, 10, 10].map((delayMs) => ({ delayMs, workMs: 0 })),
    proxies: [nodemeshFeatures, nodemeshRoundRobin],
    connections: 100,
    rate: 1000,
    seconds: 20,
  },
  {
    kind: 'slow-instance',
    name: 'cfs-quota',
    what: 'two instances that need 0.6 CPU each, one of them behind 0.5 CPU of CFS quota',
    isShort: false,
    instances: [
      { delayMs: 0, workMs: 1, cpuQuota: 0.5 },
      { delayMs: 0, workMs: 1 },
    ],
    proxies: [haproxy, haproxyFeatures, nodemesh, nodemeshFeatures],
    connections: 100,
    rate: 1200,
    seconds: 10,
  },
  {
    kind: 'soak',
    name: 'soak',
    what: 'memory over 10 minutes of load, and after a million distinct Hosts',
    isShort: false,
    proxy: 'nodemesh-features',
    connections: 64,
    minutes: 10,
    distinctHosts: 1_000_000,
  },
];
