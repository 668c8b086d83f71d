/**
 * A linkerd.yaml as linkerd on DC/OS has it, made into what the proxies of a mesh are told: a document that says what differs
 * from their defaults (agent-proxy/config/mesh-document.ts), options of the package, and dtabs. What it comes to has been
 * through the proxies' own validator.
 */
import { stringify } from 'yaml';
import { readDocument } from '../../agent-proxy/config/document.ts';
import { isRecord } from '../../agent-proxy/config/schema/keys.ts';
import { type Block, type Draft, isEmpty, wholeNumber } from './draft.ts';
import { type SeenDtab, tellUnknownNamers } from './dtabs.ts';
import { fitted } from './fitted.ts';
import { moveNamers, prefixOf } from './namers.ts';
import { Origins } from './origins.ts';
import { moveRouters } from './routers.ts';

/** The configuration in a text. `place` names it in findings. */
export function moveConfigText(text: string, place: string, draft: Draft): void {
  const read = readDocument(text);
  if (read.kind === 'bad') {
    draft.notUnderstood(place, text, `it is neither YAML nor JSON: ${read.faults.join('; ')}`);
    return;
  }
  moveConfig(read.value, place, draft);
}

export function moveConfig(document: unknown, place: string, draft: Draft): void {
  if (!isRecord(document)) {
    draft.notUnderstood(place, document, 'it is no block of keys, so no configuration of linkerd');
    return;
  }
  if (!('routers' in document) && ('storage' in document || 'interfaces' in document)) {
    moveNamerdConfig(document, place, draft);
    return;
  }
  const origins = new Origins();
  // What does not fit is taken out of it later.
  const { admin, routers, namers, telemetry, usage, ...others } = structuredClone(document);
  const result: Record<string, unknown> = {};
  const kept = moveAdmin(admin, `${place}.admin`, origins, draft);
  if (!isEmpty(kept)) result['admin'] = kept;
  const moved = moveNamers(namers, `${place}.namers`, origins, draft);
  const seen: SeenDtab[] = [];
  const movedRouters = moveRouters(
    routers,
    `${place}.routers`,
    { namers: moved, draft, ofOutgoing: null, seen },
    origins,
  );
  if (movedRouters.length > 0) result['routers'] = movedRouters;
  if (moved.kept.length > 0) result['namers'] = moved.kept;
  const telemeters = moveTelemetry(telemetry, `${place}.telemetry`, origins, draft);
  if (telemeters.length > 0) result['telemetry'] = telemeters;
  if (!isEmpty(usage)) draft.leftOut(`${place}.usage`, usage, 'nodemesh reports nothing to anybody');
  for (const [key, value] of Object.entries(others)) {
    draft.notUnderstood(`${place}.${key}`, value, 'linkerd has no such key at the top level');
  }

  keepApart(movedRouters, draft);
  const fit = fitted(result, portsOf(draft), origins, place, draft);
  const left = Array.isArray(fit['namers']) ? fit['namers'].filter(isRecord).map(prefixOf) : [];
  tellUnknownNamers(seen, [...left, ...moved.marathons], draft);
  draft.config = isEmpty(fit) ? null : stringify(fit, { lineWidth: 0 });
}

function portsOf(draft: Draft): { outgoing: number; incoming: number; admin: number; edge: number | null } {
  const port = (name: Parameters<Draft['get']>[0], fallback: number): number => Number(draft.get(name) ?? fallback);
  return {
    outgoing: port('proxies.outgoing_port', 4140),
    incoming: port('proxies.incoming_port', 4141),
    admin: port('proxies.admin_port', 9990),
    edge: port('proxies.edge_port', 4143),
  };
}

/** Listeners that linkerd did not have are not to be on ports that it had for something else. */
function keepApart(routers: readonly Block[], draft: Draft): void {
  const servers = routers.flatMap(({ servers: own }) => (Array.isArray(own) ? own.filter(isRecord) : []));
  const used = new Set<unknown>(servers.map(({ port }) => port));
  const names = Object.entries(PORTS_OF_THE_TASK) as [keyof typeof PORTS_OF_THE_TASK, number][];
  // What linkerd has keeps its port.
  for (const [name, fallback] of names.toSorted(([a], [b]) => Number(isSet(b, draft)) - Number(isSet(a, draft)))) {
    const own = draft.get(name) ?? fallback;
    let free = own;
    for (let next = 4144; used.has(free); next += 1) free = next;
    used.add(free);
    if (free === own) continue;
    draft.set(name, free);
    draft.changed(`${name} (apart)`, own, `${name}: ${String(free)}`, `another listener has ${String(own)}`);
  }
}

const PORTS_OF_THE_TASK = {
  'proxies.outgoing_port': 4140,
  'proxies.incoming_port': 4141,
  'proxies.admin_port': 9990,
  'proxies.edge_port': 4143,
} as const;

const isSet = (name: keyof typeof PORTS_OF_THE_TASK, draft: Draft): boolean => draft.get(name) !== undefined;

function moveAdmin(admin: unknown, place: string, origins: Origins, draft: Draft): Block {
  if (!isRecord(admin)) {
    if (!isEmpty(admin)) draft.notUnderstood(place, admin, 'it is no block of keys');
    return {};
  }
  const { ip, port, ...others } = admin;
  if (!isEmpty(ip)) {
    draft.changed(
      `${place}.ip`,
      ip,
      'proxies.bind',
      'a proxy of the mesh listens where its task does; by default on every address of its agent',
    );
  }
  const own = wholeNumber(port, 1, 65_535);
  if (own !== null) {
    draft.set('proxies.admin_port', own);
    draft.taken(`${place}.port`, port, 'proxies.admin_port');
  } else if (!isEmpty(port)) {
    draft.changed(`${place}.port`, port, 'proxies.admin_port', 'it has to be a port from 1 on; the default is 9990');
  }
  const kept = origins.note({ ...others }, place);
  for (const [key, value] of Object.entries(others)) draft.taken(`${place}.${key}`, value, `mesh.config: admin.${key}`);
  return kept;
}

function moveTelemetry(telemetry: unknown, place: string, origins: Origins, draft: Draft): unknown[] {
  if (isEmpty(telemetry)) return [];
  if (!Array.isArray(telemetry)) {
    draft.notUnderstood(place, telemetry, 'it is no list');
    return [];
  }
  return telemetry.flatMap((telemeter: unknown, index): unknown[] => {
    const own = `${place}[${index}]`;
    if (!isRecord(telemeter)) {
      draft.notUnderstood(own, telemeter, 'it is no block of keys');
      return [];
    }
    draft.taken(own, telemeter, 'mesh.config: telemetry');
    return [origins.note({ ...telemeter }, own)];
  });
}

/** namerd's own file: the scheduler does what it did. */
function moveNamerdConfig(document: Block, place: string, draft: Draft): void {
  const reasons: Readonly<Record<string, string>> = {
    storage:
      'dtabs are in the state store of the scheduler (zookeeper.*); nodemesh migrate --namerd URL takes them over',
    interfaces:
      "the scheduler answers namerd's HTTP API on its own port (service.api_port); thrift and gRPC mesh are not there yet",
    admin: 'the scheduler has one port for all',
    telemetry: 'the metrics of the scheduler are at /metrics, for Prometheus',
  };
  for (const [key, value] of Object.entries(document)) {
    if (key === 'namers') {
      const { kept } = moveNamers(value, `${place}.namers`, new Origins(), draft);
      if (kept.length > 0) {
        draft.leftOut(`${place}.namers`, kept, 'a scheduler has the namers of the mesh; others stand in mesh.config');
      }
    } else if (reasons[key] !== undefined) draft.leftOut(`${place}.${key}`, value, reasons[key]);
    else draft.notUnderstood(`${place}.${key}`, value, 'namerd has no such key');
  }
}
