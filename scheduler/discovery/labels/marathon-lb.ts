/**
 * The labels of marathon-lb: those that say at which host and path the edge router serves an app. All others are told to
 * be without effect, with what to use in their place where there is something.
 */
import { closest } from '../../../agent-proxy/config/closest.ts';
import type { ServiceSettings } from '../../../agent-proxy/control/contract.ts';
import type { DefinedPort } from '../../../agent-proxy/routing/marathon-ports.ts';
import type { Notes } from './notes.ts';
import { flag, hostOf, pathOf, textual, words } from './values.ts';

export type Exposed = ServiceSettings['exposed'][number];

/** Which groups the edge serves. `*`: all. `-`: apps that name no group at all. */
export type EdgeGroups = readonly string[];

export const UNDERSTOOD = {
  GROUP:
    'The groups of the app, or of one port; a port that names groups is in those only. Only what is in one of `--edge-groups` is exposed.',
  VHOST: 'The hosts at which the port is served, between commas.',
  PATH: 'The beginnings of the paths that are served, between spaces; without it all. Needs hosts.',
  REDIRECT_TO_HTTPS: '`true`: a request over http is redirected to https.',
  STICKY: '`true`: a client keeps its instance, by a cookie.',
  ENABLED: '`false`: the port is not exposed.',
} as const;

/** Labels of marathon-lb that mean nothing here, with what to do instead. */
export const NOT_UNDERSTOOD: Readonly<Record<string, string>> = {
  AUTH: 'there is no authentication at the edge yet',
  BACKEND_HEALTHCHECK_PORT_INDEX: 'the health that Marathon tells decides',
  BACKEND_NETWORK_ALLOWED_ACL: 'there is no access list at the edge yet',
  BACKEND_WEIGHT: 'the longest path wins; the weight of instances is NODEMESH_WEIGHT',
  BALANCE: 'use NODEMESH_BALANCER',
  BIND_ADDR: 'the edge router listens where its configuration says',
  BIND_OPTIONS: 'the edge router listens where its configuration says',
  DEPLOYMENT_ALT_PORT: 'shift traffic with: nodemesh shift',
  DEPLOYMENT_COLOUR: 'shift traffic with: nodemesh shift',
  DEPLOYMENT_GROUP: 'shift traffic with: nodemesh shift',
  DEPLOYMENT_NEW_INSTANCES: 'shift traffic with: nodemesh shift',
  DEPLOYMENT_STARTED_AT: 'shift traffic with: nodemesh shift',
  DEPLOYMENT_TARGET_INSTANCES: 'shift traffic with: nodemesh shift',
  HTTP_BACKEND_PROXYPASS_PATH: 'paths are passed on as they are',
  HTTP_BACKEND_REVPROXY_PATH: 'paths are passed on as they are',
  MODE: 'what has a host is served as HTTP, and nothing else is exposed',
  PORT: 'no port of its own is opened for an app: give it a host (HAPROXY_n_VHOST)',
  SSL_CERT: 'there is no TLS at the edge yet',
  USE_HSTS: 'there is no TLS at the edge yet',
};

const LABEL = /^HAPROXY_(?:(0|[1-9]\d{0,2})_)?([A-Z0-9_]+)$/;
const TEMPLATE = /(^|_)(HEAD|FRONTEND|BACKEND|HTTP|HTTPS|TCP|OPTIONS|REDIRECT|MAP|SERVER|ACL|GLUE|STATS|USERLIST)(_|$)/;

const flagValue = textual(flag);
const hosts = textual((text) => {
  const found = words(text).map(hostOf);
  if (found.length === 0) throw new Error('names no host');
  return found;
});
const paths = textual((text) => {
  const found = words(text).map(pathOf);
  if (found.length === 0) throw new Error('names no path');
  return found;
});

interface PortLabels {
  /** Null where the port says nothing of its own. */
  groups: readonly string[] | null;
  hosts: readonly string[];
  paths: readonly string[];
  redirectToHttps: boolean;
  sticky: boolean;
  enabled: boolean;
}

/** What an app's labels expose, in the order of its ports. */
export function readMarathonLb(
  labels: Readonly<Record<string, string>>,
  ports: readonly DefinedPort[],
  edge: EdgeGroups,
  notes: Notes,
): Exposed[] {
  const { byPort, ofApp, groupLabels } = sortedByPort(labels, ports, notes);
  const exposed: Exposed[] = [];
  let isNamed = false;
  for (const [index, port] of [...byPort].sort(([a], [b]) => a - b)) {
    const vhost = `HAPROXY_${index}_VHOST`;
    const groups = port.groups ?? ofApp;
    isNamed ||= port.hosts.length > 0;
    if (port.hosts.length === 0) {
      if (port.paths.length > 0) notes.add(`HAPROXY_${index}_PATH`, `says nothing without a host: add ${vhost}`);
    } else if (port.enabled && !isServed(groups, groupLabels.length === 0, edge)) {
      const why = `${groupsInWords(groups)}, and the edge serves ${edge.join(', ')} (--edge-groups)`;
      notes.add(vhost, `is not exposed: ${why}`);
    } else if (port.enabled) {
      exposed.push(...placesOfPort(port, ports[index]?.name ?? `port${index}`));
    }
  }
  if (!isNamed)
    for (const label of groupLabels) notes.add(label, 'exposes nothing without a host: add HAPROXY_0_VHOST');
  return exposed;
}

interface Sorted {
  readonly byPort: ReadonlyMap<number, PortLabels>;
  /** The groups of the app as a whole. */
  readonly ofApp: readonly string[];
  /** Every label that names groups. */
  readonly groupLabels: readonly string[];
}

function sortedByPort(labels: Readonly<Record<string, string>>, ports: readonly DefinedPort[], notes: Notes): Sorted {
  const byPort = new Map<number, PortLabels>();
  let ofApp: readonly string[] = [];
  const groupLabels: string[] = [];
  for (const [label, value] of Object.entries(labels)) {
    if (!label.startsWith('HAPROXY_')) continue;
    const [, index, key = ''] = LABEL.exec(label) ?? [];
    if (key === 'GROUP' && index === undefined) {
      ofApp = words(value);
      groupLabels.push(label);
    } else if (index === undefined || !Object.hasOwn(UNDERSTOOD, key)) {
      notes.add(label, whyNot(label, index, key));
    } else if (ports[Number(index)] === undefined) {
      notes.add(label, noSuchPort(Number(index), ports.length));
    } else {
      if (key === 'GROUP') groupLabels.push(label);
      takePortLabel(portLabels(byPort, Number(index)), key, label, value, notes);
    }
  }
  return { byPort, ofApp, groupLabels };
}

function placesOfPort({ hosts, paths, redirectToHttps, sticky }: PortLabels, port: string): Exposed[] {
  const served = paths.length === 0 ? ['/'] : paths;
  return hosts.flatMap((host) => served.map((path) => ({ host, path, port, redirectToHttps, sticky })));
}

export function noSuchPort(index: number, count: number): string {
  if (count === 0) return `the app defines no ports, so there is no port ${index}; the label is ignored`;
  return `the app has no port ${index}: its ports are 0${count > 1 ? ` to ${count - 1}` : ''}; the label is ignored`;
}

function portLabels(byPort: Map<number, PortLabels>, index: number): PortLabels {
  const known = byPort.get(index);
  if (known !== undefined) return known;
  const none = { groups: null, hosts: [], paths: [], redirectToHttps: false, sticky: false, enabled: true };
  byPort.set(index, none);
  return none;
}

function takePortLabel(port: PortLabels, key: string, label: string, value: string, notes: Notes): void {
  switch (key) {
    case 'GROUP':
      port.groups = words(value);
      return;
    case 'VHOST':
      port.hosts = notes.read(label, hosts, value) ?? [];
      return;
    case 'PATH': {
      const read = notes.read(label, paths, value);
      // Where it was meant to be limited, it is not exposed as a whole.
      if (read === null) port.enabled = false;
      port.paths = read ?? [];
      return;
    }
    case 'REDIRECT_TO_HTTPS':
      port.redirectToHttps = notes.read(label, flagValue, value) ?? false;
      return;
    case 'STICKY':
      port.sticky = notes.read(label, flagValue, value) ?? false;
      return;
    default:
      // ENABLED. What cannot be read does not open a port.
      port.enabled = notes.read(label, flagValue, value) === true && port.enabled;
  }
}

function isServed(groups: readonly string[], isUngrouped: boolean, edge: EdgeGroups): boolean {
  if (edge.includes('*')) return true;
  if (isUngrouped) return edge.includes('-');
  return groups.some((group) => edge.includes(group));
}

function groupsInWords(groups: readonly string[]): string {
  if (groups.length === 0) return 'it is in no group';
  return `its ${groups.length === 1 ? 'group is' : 'groups are'} ${groups.join(', ')}`;
}

function whyNot(label: string, index: string | undefined, key: string): string {
  const instead = NOT_UNDERSTOOD[key];
  if (instead !== undefined) return `is a label of marathon-lb without an effect here: ${instead}`;
  if (index === undefined && Object.hasOwn(UNDERSTOOD, key)) {
    return `is no label of marathon-lb without the index of a port: HAPROXY_0_${key}`;
  }
  const known = [...Object.keys(UNDERSTOOD), ...Object.keys(NOT_UNDERSTOOD)];
  const meant = closest(key, known);
  if (meant !== undefined) {
    const front = meant === 'GROUP' && index === undefined ? 'HAPROXY_' : `HAPROXY_${index ?? 0}_`;
    return `is no label of marathon-lb; did you mean ${front}${meant}?`;
  }
  if (TEMPLATE.test(key)) return 'is a template of marathon-lb for the configuration of HAProxy, which is not here';
  return `is not understood: ${label} is no label of marathon-lb`;
}
