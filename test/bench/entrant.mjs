/** A proxy that runs, ready to be measured: one process tree, or two in a row. */
import { join } from 'node:path';
import { freePort, sizeOf, whyNotReady } from './processes/ports.mjs';
import { lastLine } from './processes/stage.mjs';
import { backendPlan } from './proxies/nginx.mjs';
import { serviceName } from './topology.mjs';

/**
 * What all parts of a run share.
 *
 * @typedef {object} Context
 * @property {import('./processes/stage.mjs').Stage} stage
 * @property {import('./cores.mjs').Cores} cores
 * @property {number} rounds
 * @property {number} seconds of one measurement
 * @property {string} dist
 * @property {readonly import('./types.ts').ProxyForm[]} proxies
 * @property {(line: string) => void} say
 * @property {(line: string) => void} note something that the reader of the figures has to know
 */

/**
 * @typedef {object} Entrant
 * @property {import('./types.ts').ProxyForm} proxy
 * @property {number} port the entrance, on 127.0.0.1
 * @property {number} adminPort of the proxy at the entrance
 * @property {string} directory of the proxy at the entrance
 * @property {readonly import('./processes/stage.mjs').Running[]} processes
 */

/** Where nodemesh's Prometheus telemeter answers, on the admin port. */
export const METRICS_PATH = '/admin/metrics/prometheus';

/**
 * Starts a proxy and waits until it answers for the first of the services.
 *
 * @param {Context} context
 * @param {import('./types.ts').ProxyForm} proxy
 * @param {readonly import('./types.ts').Service[]} services
 * @param {number} inRow so many of it, each sending to the next
 * @returns {Promise<Entrant | null>} null, and a note, when it does not get ready
 */
async function enter(context, proxy, services, inRow) {
  const { stage, cores, dist, note } = context;
  /** @type {import('./processes/stage.mjs').Running[]} */
  const processes = [];
  let [port, adminPort, directory, behind] = [0, 0, '', services];
  for (let position = inRow; position >= 1; position -= 1) {
    [port, adminPort] = [await freePort(), await freePort()];
    const folder = inRow === 1 ? proxy.name : `${proxy.name}-${position}`;
    directory = join(stage.directory, folder);
    const plan = proxy.plan({ port, adminPort, directory, services: behind, dist });
    await stage.write(folder, plan.files);
    const process = stage.start(plan.command, { cpus: [cores.proxy], cwd: directory });
    processes.push(process);
    const endpoints = [{ address: '127.0.0.1', port }];
    const why = await whyNotReady({ address: '127.0.0.1', port }, serviceName(0), process);
    if (why !== null) {
      await Promise.all(processes.map((each) => each.stop()));
      note(`${proxy.name}: not measured: ${why}: ${lastLine(process.output()) || 'it wrote nothing'}`);
      return null;
    }
    behind = services.map(({ name }) => ({ name, endpoints }));
  }
  return { proxy, port, adminPort, directory, processes };
}

/**
 * @typedef {object} Field who takes part
 * @property {readonly import('./types.ts').ProxyForm[]} proxies
 * @property {readonly import('./types.ts').Service[]} services
 * @property {number} [inRow] so many of each proxy in a row
 * @property {readonly (() => import('./processes/stage.mjs').Running)[]} [backends] what answers at the endpoints, if not nginx
 */

/**
 * The entrants that got ready, with a backend behind them.
 *
 * @param {Context} context
 * @param {Field} field
 * @param {(entrants: readonly Entrant[]) => Promise<void>} use everything is stopped when it is done
 * @returns {Promise<void>}
 */
export async function withEntrants(context, { proxies, services, inRow = 1, backends }, use) {
  const running = backends?.map((start) => start()) ?? [await startNginx(context, services)];
  try {
    for (const [index, { address, port }] of (services[0]?.endpoints ?? []).entries()) {
      const backend = running[index] ?? running[0];
      const why = backend === undefined ? 'there is none' : await whyNotReady({ address, port }, 'backend', backend);
      if (why !== null) throw new Error(`the backend at ${address}:${port} does not get ready: ${why}`);
    }
    /** @type {Entrant[]} */
    const entrants = [];
    for (const proxy of proxies) {
      const entrant = await enter(context, proxy, services, inRow);
      if (entrant === null) continue;
      entrants.push(entrant);
      running.push(...entrant.processes);
    }
    await use(entrants);
  } finally {
    await Promise.all(running.map((process) => process.stop()));
  }
}

/**
 * @param {Context} context
 * @param {readonly import('./types.ts').Service[]} services
 */
async function startNginx({ stage, cores }, services) {
  const directory = join(stage.directory, 'backend');
  const plan = backendPlan(directory, services);
  await stage.write('backend', plan.files);
  return stage.start(plan.command, { cpus: [cores.backend], cwd: directory });
}

/**
 * Reads an entrant's metrics now and then, as Prometheus does.
 *
 * @param {Entrant} entrant
 * @param {number} everyMs
 * @returns {() => Promise<number>} ends it, and tells how many bytes the last answer had
 * @throws from the returned function, an Error when an answer was not 200
 */
export function scrape(entrant, everyMs) {
  let bytes = 0;
  /** @type {Promise<void>} */
  let last = Promise.resolve();
  const once = async () => {
    const { status, bytes: size } = await sizeOf({ address: '127.0.0.1', port: entrant.adminPort }, METRICS_PATH);
    if (status !== 200) throw new Error(`${entrant.proxy.name} answers ${status} for ${METRICS_PATH}`);
    bytes = size;
  };
  const next = () => {
    last = last.then(once);
    // It is told to whoever ends the scraping; meanwhile it is nobody's.
    last.catch(() => undefined);
  };
  next();
  const timer = setInterval(next, everyMs);
  return async () => {
    clearInterval(timer);
    await last;
    return bytes;
  };
}
