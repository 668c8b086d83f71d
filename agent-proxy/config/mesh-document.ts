/**
 * The configuration of the proxies of a mesh as people write it: a linkerd.yaml that says only what differs from
 * mesh-config.ts. What it says lies over the defaults, router by router (by label), block by block; layers of clients and
 * services come after those of the defaults, so that they win key by key.
 *
 * A router that it does not name is as the defaults say. The ports of the first server of `outgoing`, `incoming` and `edge`,
 * and of admin, are those of the task, unless a server names another; `edge` is nothing to nodes that have no port for it.
 */
import { conflictsOf } from './conflicts.ts';
import { faultsOf } from './faults.ts';
import { MESH_ADMIN, meshRouters } from './mesh-config.ts';
import { isRecord } from './schema/keys.ts';
import { linkerd, type ProxyConfig } from './schema/linkerd.ts';
import { schemaTree, withoutEmptyKeys } from './schema-tree.ts';
import { EDGE, type MeshListen } from './spec.ts';
import { warningsOf } from './warnings.ts';

type Block = Readonly<Record<string, unknown>>;

export type CheckedDocument =
  | { readonly kind: 'ok'; readonly config: ProxyConfig; readonly warnings: readonly string[] }
  /** Each says where (a place in the document) and what. */
  | { readonly kind: 'bad'; readonly faults: readonly string[] };

/** What a proxy that listens so is to be; plain JSON. */
export function checkMeshDocument(document: unknown, listen: MeshListen): CheckedDocument {
  if (!isRecord(document)) return bad(['configuration: is not a block of keys']);
  const root = schemaTree();
  const { routers = [{ label: 'outgoing' }], ...others } = document;
  // A mesh speaks one protocol; who writes down what differs need not say so.
  const spoken = { ...others, routers: each(routers, (router) => ({ protocol: 'http', ...router })) };
  const written = withoutEmptyKeys(root, spoken);
  const read = linkerd.safeParse(written);
  const faults = [...ownFaults(document, listen), ...(read.success ? [] : faultsOf(read.error, written, root))];
  if (faults.length > 0 || !isRecord(written)) return bad(faults);

  const full = inFull('routers' in document ? written : { ...written, routers: [] }, listen);
  const result = linkerd.safeParse(full);
  const conflicts = [...(result.success ? [] : faultsOf(result.error, full, root)), ...conflictsOf(full)];
  if (!result.success || conflicts.length > 0) return bad(conflicts);
  const warnings = [...warningsOf(written, result.data, root), ...moved(result.data, listen)];
  return { kind: 'ok', config: result.data, warnings };
}

function bad(faults: readonly string[]): CheckedDocument {
  return { kind: 'bad', faults };
}

/** What linkerd's schema allows, and a mesh does not. */
function ownFaults({ admin, routers }: Block, listen: MeshListen): string[] {
  const faults: string[] = [];
  for (const key of ['ip', 'port']) {
    if (isRecord(admin) && key in admin) faults.push(`admin.${key}: is that of the task (--ports); leave it out`);
  }
  if (!Array.isArray(routers)) return faults;
  const known = meshRouters({ ...listen, ports: { ...listen.ports, edge: 0 } }).map(({ label }) => label);
  for (const [index, router] of routers.entries()) {
    if (!isRecord(router)) continue;
    const { label, servers } = router;
    if (label === EDGE) faults.push(...edgeFaults(router, `routers[${index}]`, listen));
    if (typeof label !== 'string') faults.push(`routers[${index}].label: is needed; ${known.join(', ')}, or a new one`);
    else if (!known.includes(label) && !Array.isArray(servers)) {
      faults.push(`routers[${index}].servers: is needed; only ${known.join(', ')} have a port of the task`);
    }
  }
  return faults;
}

/** Who is served there, and that nothing of a client is believed, is no matter of configuration. */
function edgeFaults(router: Block, place: string, listen: MeshListen): string[] {
  const own: Block = { ...meshRouters(listen).find(({ label }) => label === EDGE) };
  const faults: string[] = [];
  for (const key of ['dstPrefix', 'identifier']) {
    if (!(key in router) || JSON.stringify(router[key]) === JSON.stringify(own[key])) continue;
    faults.push(`${place}.${key}: apps at the edge are named by their labels; leave it out`);
  }
  const { servers } = router;
  for (const [index, server] of Array.isArray(servers) ? servers.entries() : []) {
    if (!isRecord(server) || (server['clearContext'] ?? true) === true) continue;
    faults.push(`${place}.servers[${index}].clearContext: the edge router believes no client; leave it out`);
  }
  return faults;
}

function moved({ routers }: ProxyConfig, listen: MeshListen): string[] {
  return meshRouters(listen).flatMap(({ label, servers: [own] }) => {
    const router = routers.find((one) => one.label === label);
    if (router === undefined || router.servers.some(({ port }) => port === own?.port)) return [];
    return [`routers: ${label} does not listen on the port of the task, where others look for it`];
  });
}

/** The document with all that it leaves out. */
function inFull({ admin, routers, namers, telemetry }: Block, listen: MeshListen): Block {
  const defaults = meshRouters(listen);
  const named = new Set(
    Array.isArray(routers) ? routers.map((router: unknown) => isRecord(router) && router['label']) : [],
  );
  const written = Array.isArray(routers) ? routers.filter((router) => !isElsewhere(router, listen)) : [];
  return {
    admin: { ...merged(MESH_ADMIN, admin), ip: listen.innerIp ?? listen.ip, port: listen.ports.admin },
    routers: [
      ...written.map((router: unknown) => (isRecord(router) ? routerInFull(router, defaults, listen) : router)),
      ...defaults.filter(({ label }) => !named.has(label)),
    ],
    namers: namers ?? [],
    telemetry: telemetry ?? [],
  };
}

/** Said of other nodes: those that have an edge. */
function isElsewhere(router: unknown, { ports }: MeshListen): boolean {
  return isRecord(router) && router['label'] === EDGE && ports.edge === null;
}

function routerInFull(router: Block, defaults: readonly Block[], listen: MeshListen): Block {
  const { client, service, servers, ...others } = router;
  const known = defaults.find(({ label }) => label === router['label']);
  const base = known ?? defaults[0] ?? {};
  const [first] = Array.isArray(base['servers']) ? base['servers'] : [];
  const { port: _port, ...portless } = isRecord(first) ? first : {};
  const fixedIp = fixedIpOf(router, listen);
  const serverInFull = (server: Block, index: number): unknown => ({
    ...merged(index === 0 && known !== undefined ? first : portless, server),
    ...(fixedIp === null ? {} : { ip: fixedIp }),
  });
  return {
    ...merged(base, others),
    client: withLayers(base['client'], client),
    service: withLayers(base['service'], service),
    ...(servers === undefined ? {} : { servers: each(servers, serverInFull) }),
  };
}

/** Where its servers listen whatever they say; null: as they say. */
function fixedIpOf({ label }: Block, { ip, innerIp, isFixed }: MeshListen): string | null {
  if (innerIp !== undefined && label !== EDGE) return innerIp;
  return isFixed ? ip : null;
}

/** The layers of the defaults, and those that are written; the global form is one layer for all names. */
function withLayers(base: unknown, written: unknown): unknown {
  if (!isRecord(written)) return base;
  const { kind, configs, ...keys } = written;
  const layers = kind === 'io.l5d.static' ? configs : Object.keys(keys).length === 0 ? [] : [{ prefix: '/', ...keys }];
  const below = isRecord(base) && Array.isArray(base['configs']) ? base['configs'] : [];
  return { kind: 'io.l5d.static', configs: [...below, ...(Array.isArray(layers) ? layers : [])] };
}

/** Blocks lie over each other key by key, unless they are of different kinds; anything else is replaced. */
function merged(base: unknown, over: unknown): Block {
  if (!isRecord(base)) return isRecord(over) ? over : {};
  if (!isRecord(over)) return base;
  if ('kind' in over && over['kind'] !== base['kind']) return over;
  const both = Object.entries(over).map(([key, value]) => [
    key,
    isRecord(value) && isRecord(base[key]) ? merged(base[key], value) : value,
  ]);
  return { ...base, ...Object.fromEntries(both) };
}

/** What is no list, or no block in it, is left for the schema to find fault with. */
function each(list: unknown, change: (block: Block, index: number) => unknown): unknown {
  if (!Array.isArray(list)) return list;
  return list.map((item, index) => (isRecord(item) ? change(item, index) : item));
}
