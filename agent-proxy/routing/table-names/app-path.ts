/**
 * Which part of a path is a Marathon app's id: `/team/api/v1` may be the app `team/api` and the rest `/v1`. Ids are
 * matched without case. `team/api:admin` is the app's port of that name (or index): no id has a colon.
 */
import { MappedAddresses } from '../mapped-addresses.ts';
import type { AddressSet } from '../names.ts';
import type { Path } from '../path.ts';

export interface AppCandidate {
  /** The id without its leading slash, in lower case; of another source behind its name, as the service is called. */
  readonly app: string;
  readonly port: string | null;
  /** How many segments it takes. */
  readonly depth: number;
}

/** Nobody nests groups deeper, and a path may be a whole URI. */
const MAX_DEPTH = 16;

/**
 * Every id that the beginning of a path may be. `longest` first: the app `/a` does not hide the app `/a/b`. `shortest`
 * first is linkerd's order.
 */
export function appCandidates(rest: Path, order: 'longest' | 'shortest'): AppCandidate[] {
  const candidates: AppCandidate[] = [];
  let group = '';
  for (const [index, segment] of rest.slice(0, MAX_DEPTH).entries()) {
    const colon = segment.indexOf(':');
    const name = colon === -1 ? segment : segment.slice(0, colon);
    const app = `${group}${name.toLowerCase()}`;
    candidates.push({ app, port: colon === -1 ? null : segment.slice(colon + 1), depth: index + 1 });
    if (colon !== -1) break;
    group = `${app}/`;
  }
  return order === 'longest' ? candidates.reverse() : candidates;
}

/** Of another source than the first Marathon: the first segment names it, and its services begin with `#` and that. */
export function otherCandidates(rest: Path): AppCandidate[] {
  const [source] = rest;
  if (source === undefined) return [];
  return appCandidates(rest.slice(1), 'longest').map(({ app, port, depth }) => {
    return { app: `#${source}/${app}`, port, depth: depth + 1 };
  });
}

/** The bound name of a candidate below a namer's prefix. */
export function appId(prefix: Path, { app, port }: AppCandidate): Path {
  const id = app.startsWith('#') ? app.slice(1) : app;
  return ['#', ...prefix, ...(port === null ? id : `${id}:${port}`).split('/')];
}

/** The addresses of an app, at the port that the candidate names. Endpoints without such a port are not among them. */
export function atPort(addresses: AddressSet, { port }: AppCandidate): AddressSet {
  if (port === null) return addresses;
  const index = /^\d{1,3}$/.test(port) ? Number(port) : -1;
  return new MappedAddresses(addresses, (endpoint) => {
    const { ports } = endpoint;
    // The index is that of the definition: a port before it may be missing, and then it says so itself.
    const found =
      ports.find(({ name }) => name === port) ?? ports.find((each, position) => (each.index ?? position) === index);
    return found === undefined ? null : { ...endpoint, port: found.port };
  });
}
