/**
 * linkerd's `routers:` – which of them are the two ends of a hop (transformers `io.l5d.port` and `io.l5d.localhost` say so),
 * and what is left of each beyond what a mesh does by itself.
 */
import { isRecord } from '../../agent-proxy/config/schema/keys.ts';
import { type Block, type Draft, isEmpty, wholeNumber } from './draft.ts';
import { type Dtabs, moveDtab } from './dtabs.ts';
import { moveInterpreter } from './interpreters.ts';
import type { Origins } from './origins.ts';

type Role = 'outgoing' | 'incoming' | 'other';

interface Router {
  readonly block: Block;
  readonly place: string;
  readonly role: Role;
  /** As it is called here. */
  readonly label: string;
}

const LOCALHOST = 'io.l5d.localhost';
const PORT = 'io.l5d.port';

export function moveRouters(routers: unknown, place: string, dtabs: Dtabs, origins: Origins): Block[] {
  const { draft } = dtabs;
  if (!Array.isArray(routers) || routers.length === 0) {
    draft.notUnderstood(place, routers, 'a configuration of linkerd has routers');
    return [];
  }
  const all = withRoles(routers, place, draft);
  return all.flatMap((router) => moveRouter(router, all, dtabs, origins));
}

function withRoles(routers: readonly unknown[], place: string, draft: Draft): Router[] {
  const spoken = routers.flatMap((block: unknown, index) => {
    const own = `${place}[${index}]`;
    if (!isRecord(block)) {
      draft.notUnderstood(own, block, 'it is no block of keys');
      return [];
    }
    if (block['protocol'] === 'http') return [{ block, place: own }];
    draft.leftOut(own, block, `the protocol ${String(block['protocol'])} is not supported yet`);
    return [];
  });
  const incoming = spoken.find(({ block }) => transformersOf(block).some(({ kind }) => kind === LOCALHOST));
  const outside = spoken.filter((one) => one !== incoming);
  const target = incoming === undefined ? null : portOf(incoming.block, 4141);
  const outgoing =
    outside.find(({ block }) => transformersOf(block).some(({ kind, port }) => kind === PORT && port === target)) ??
    outside[0];
  if (spoken.length > 0 && incoming === undefined) {
    draft.changed(
      place,
      'no router with io.l5d.localhost',
      'proxies.incoming_port',
      'requests go from proxy to proxy here: there is an incoming router on every node too',
    );
  }
  const labels = new Set(['outgoing', 'incoming', 'edge']);
  // The outgoing one first: its dtab becomes that of all.
  const order = [outgoing, incoming, ...spoken.filter((one) => one !== outgoing && one !== incoming)];
  return order.flatMap((one): Router[] => {
    if (one === undefined) return [];
    const role = one === outgoing ? 'outgoing' : one === incoming ? 'incoming' : 'other';
    const label = role === 'other' ? freeLabel(String(one.block['label'] ?? 'http'), labels) : role;
    return [{ ...one, role, label }];
  });
}

function freeLabel(wanted: string, used: Set<string>): string {
  let label = wanted;
  for (let count = 2; used.has(label); count += 1) label = `${wanted}-${count}`;
  used.add(label);
  return label;
}

export function transformersOf({ interpreter }: Block): Block[] {
  const list = isRecord(interpreter) ? interpreter['transformers'] : [];
  return Array.isArray(list) ? list.filter(isRecord) : [];
}

function portOf({ servers }: Block, fallback: number): number {
  const [first] = Array.isArray(servers) ? servers : [];
  return (isRecord(first) ? wholeNumber(first['port'], 1, 65_535) : null) ?? fallback;
}

function moveRouter(router: Router, all: readonly Router[], dtabs: Dtabs, origins: Origins): Block[] {
  const { draft } = dtabs;
  const { block, place, role, label } = router;
  const { protocol: _protocol, label: before, servers, dtab, interpreter, client, ...others } = block;
  draft.taken(`${place}.protocol`, 'http', 'http');
  if (before === label) draft.taken(`${place}.label`, before, label);
  else draft.changed(`${place}.label`, before ?? 'http', label, labelReason(role));

  const result: Record<string, unknown> = origins.note({ label }, place);
  const kept = moveServers(servers, router, origins, draft);
  if (kept.length > 0) result['servers'] = kept;
  const bound = moveInterpreter(interpreter, `${place}.interpreter`, role, draft);
  const namespace = moveDtab(dtab, bound, router, dtabs);
  if (bound.kept !== null) result['interpreter'] = bound.kept;
  else if (namespace !== 'default') result['interpreter'] = { kind: 'io.nodemesh.scheduler', namespace };
  if (bound.keepsDtab && !isEmpty(dtab)) result['dtab'] = dtab;
  const movedClient = moveClient(client, router, all, draft);
  if (!isEmpty(movedClient)) result['client'] = movedClient;
  for (const [key, value] of Object.entries(others)) {
    result[key] = value;
    draft.taken(`${place}.${key}`, value, `mesh.config: ${key} of ${label}`);
  }
  // One that says nothing but its name is as the defaults have it.
  return Object.keys(result).length === 1 && role !== 'other' ? [] : [result];
}

function labelReason(role: Role): string {
  if (role === 'other') return 'the label is that of a router that every proxy has';
  return `the ${role} router of a mesh is called so; metrics are below rt/${role}`;
}

/** The first server of the two ends listens where the task's ports say; all others where they say themselves. */
function moveServers(servers: unknown, { place, role }: Router, origins: Origins, draft: Draft): Block[] {
  const option = role === 'outgoing' ? 'proxies.outgoing_port' : 'proxies.incoming_port';
  if (isEmpty(servers)) {
    const port = 4140;
    if (role === 'other') return [{ port }];
    draft.set(option, port);
    return [];
  }
  if (!Array.isArray(servers)) {
    draft.notUnderstood(`${place}.servers`, servers, 'it is no list');
    return [];
  }
  const kept = servers.flatMap((server: unknown, index): Block[] => {
    const own = `${place}.servers[${index}]`;
    if (!isRecord(server)) {
      draft.notUnderstood(own, server, 'it is no block of keys');
      return [];
    }
    const { port, ip, ...others } = server;
    const result: Record<string, unknown> = origins.note({ ...others }, own);
    for (const [key, value] of Object.entries(others))
      draft.taken(`${own}.${key}`, value, `mesh.config: servers[].${key}`);
    moveIp(ip, `${own}.ip`, result, draft);
    const fixed = wholeNumber(port ?? 4140, 1, 65_535);
    if (role === 'other' || index > 0) {
      result['port'] = port ?? 4140;
      draft.taken(`${own}.port`, result['port'], 'mesh.config: servers[].port');
    } else if (fixed !== null) {
      draft.set(option, fixed);
      draft.taken(`${own}.port`, fixed, option);
    } else draft.notUnderstood(`${own}.port`, port, `it has to be a port from 1 on: set ${option}`);
    return [result];
  });
  const [first, ...more] = kept;
  return role !== 'other' && first !== undefined && more.length === 0 && isEmpty(first) ? [] : kept;
}

/** Without one linkerd listens on loopback, since 1.2.0. */
function moveIp(ip: unknown, place: string, server: Record<string, unknown>, draft: Draft): void {
  if (isEmpty(ip)) {
    const why =
      'a proxy of the mesh listens on every address of its agent, so that apps with a network of their own reach it';
    draft.changed(`${place} (not set)`, '127.0.0.1', 'proxies.bind', why);
    return;
  }
  if (ip === '0.0.0.0' || ip === '::') {
    draft.taken(
      place,
      ip,
      'proxies.bind: config',
      'a proxy of the mesh listens on every address of its agent by default',
    );
    return;
  }
  server['ip'] = ip;
  draft.taken(place, ip, 'mesh.config: servers[].ip', 'apps with a network of their own do not reach it there');
}

function moveClient(client: unknown, router: Router, all: readonly Router[], draft: Draft): unknown {
  if (isEmpty(client)) return undefined;
  const { place, role, label } = router;
  const own = `${place}.client`;
  if (!isRecord(client)) {
    draft.notUnderstood(own, client, 'it is no block of keys');
    return undefined;
  }
  draft.taken(own, client, `mesh.config: client of ${label}`);
  const isPaired = role === 'outgoing' && all.some((other) => other.role === 'incoming');
  const layer = (block: Block, at: string): Block => {
    const { tls, prefix, ...others } = block;
    const result: Record<string, unknown> = { ...others };
    if (typeof prefix === 'string') result['prefix'] = withoutTransformers(prefix, `${at}.prefix`, draft);
    if (tls !== undefined && isPaired) {
      draft.leftOut(
        `${at}.tls`,
        tls,
        'between the proxies of a mesh there is no TLS yet, neither as server nor as client',
      );
    } else if (tls !== undefined) result['tls'] = tls;
    return result;
  };
  const { configs } = client;
  if (!Array.isArray(configs)) return layer(client, own);
  const layers = configs.map((one: unknown, index) => (isRecord(one) ? layer(one, `${own}.configs[${index}]`) : one));
  return { ...client, configs: layers };
}

/** Ids of bound names have the transformers of linkerd in front, which are not there any more. */
function withoutTransformers(prefix: string, place: string, draft: Draft): string {
  const plain = prefix.replace(/^\/%\/(io\.l5d\.port\/\d+|io\.l5d\.localhost)(?=\/)/, '');
  if (plain !== prefix) {
    draft.changed(place, prefix, plain, 'names are bound without the transformers that this one begins with');
  }
  return plain;
}
