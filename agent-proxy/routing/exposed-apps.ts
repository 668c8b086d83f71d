/**
 * What the edge router serves, by the labels of the apps: host and beginning of the path → app. The longest beginning
 * decides, as characters (HAProxy's `path_beg`). Hosts are compared without case, port and trailing dot.
 */
import type { ServiceSettings } from '../control/contract.ts';
import type { Unsubscribe } from './activity.ts';
import { normalizeHost } from './host-names.ts';
import type { ServiceTable } from './service-table.ts';
import type { AmbiguousName } from './table-names/name-claims.ts';
import { otherPort } from './table-names/vip.ts';

export interface ExposedApp {
  readonly service: string;
  /** The name of its port; null for the first. */
  readonly port: string | null;
  /** The beginning of the path by which it was found. */
  readonly path: string;
  readonly redirectToHttps: boolean;
  /** A client keeps its instance. */
  readonly sticky: boolean;
}

interface Exposure {
  readonly service: string;
  readonly host: string;
  readonly path: string;
  readonly port: string;
  readonly redirectToHttps: boolean;
  readonly sticky: boolean;
}

export class ExposedApps {
  private readonly table: ServiceTable;
  /** The longest path first; of two with the same, the one that has it. */
  private readonly byHost = new Map<string, Exposure[]>();
  private readonly byService = new Map<string, readonly Exposure[]>();
  private readonly stop: Unsubscribe;

  constructor(table: ServiceTable) {
    this.table = table;
    for (const { name, settings } of table.documents('settings')) this.set(name, exposuresOf(name, settings));
    this.stop = table.onChange(({ documents, documentsRemoved }) => {
      for (const { kind, name } of documentsRemoved) if (kind === 'settings') this.set(name, []);
      for (const document of documents) {
        if (document.kind === 'settings') this.set(document.name, exposuresOf(document.name, document.settings));
      }
    });
  }

  /** `host` as the request has it; `target` in origin form, its query does not count. */
  find(host: string, target: string): ExposedApp | null {
    const query = target.indexOf('?');
    const path = query === -1 ? target : target.slice(0, query);
    const found = this.byHost.get(normalizeHost(host))?.find((exposure) => path.startsWith(exposure.path));
    if (found === undefined) return null;
    return { ...found, port: otherPort(this.table, found.service, found.port) };
  }

  /** Places that several apps claim. */
  ambiguous(): AmbiguousName[] {
    const found: AmbiguousName[] = [];
    for (const [host, exposures] of this.byHost) {
      for (const path of new Set(exposures.map((exposure) => exposure.path))) {
        const claims = exposures.filter((exposure) => exposure.path === path).map(({ service }) => service);
        const services = [...new Set(claims)];
        if (services.length > 1) found.push({ kind: 'edge', name: host + path, services });
      }
    }
    return found.sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** Hears no more of the table. */
  close(): void {
    this.stop();
  }

  private set(service: string, exposures: readonly Exposure[]): void {
    const before = this.byService.get(service) ?? [];
    for (const host of new Set([...before, ...exposures].map((exposure) => exposure.host))) {
      const others = this.byHost.get(host)?.filter((exposure) => exposure.service !== service) ?? [];
      const all = [...others, ...exposures.filter((exposure) => exposure.host === host)].sort(compare);
      if (all.length === 0) this.byHost.delete(host);
      else this.byHost.set(host, all);
    }
    if (exposures.length === 0) this.byService.delete(service);
    else this.byService.set(service, exposures);
  }
}

function exposuresOf(service: string, { off, exposed }: ServiceSettings): Exposure[] {
  if (off) return [];
  return exposed.map((place) => ({ ...place, service, host: normalizeHost(place.host) }));
}

/** Of two apps in one place the shorter id has it, then the alphabet: the same on every node, whoever came first. */
function compare(a: Exposure, b: Exposure): number {
  if (a.path.length !== b.path.length) return b.path.length - a.path.length;
  if (a.path !== b.path) return a.path < b.path ? -1 : 1;
  const depth = a.service.split('/').length - b.service.split('/').length;
  if (depth !== 0) return depth;
  if (a.service !== b.service) return a.service < b.service ? -1 : 1;
  return a.port < b.port ? -1 : 1;
}
