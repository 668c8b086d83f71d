/**
 * io.nodemesh.vip: the app that a virtual address of DC/OS leads to, `web` for the label `VIP_0: /web:80`.
 * `/#/io.nodemesh.vip/web:8080` asks for the port of the address; without one HTTP's own is meant, or else the lowest.
 */
import type { ServiceSettings } from '../../control/contract.ts';
import type { Path } from '../path.ts';
import { portsOf } from '../service-ports.ts';
import type { ServiceTable } from '../service-table.ts';
import { appCandidates } from './app-path.ts';
import { type Claim, NameClaims } from './name-claims.ts';
import { appPath, RewritingNamer } from './rewriting-namer.ts';

/** The namer; `apps` is the path below which apps are named. */
export function vipNamer(table: ServiceTable, apps: Path = ['marathonId']): RewritingNamer {
  const claims = vipClaims(table);
  return new RewritingNamer(table, {
    prefix: ['io.nodemesh.vip'],
    namesIn: (rest) => appCandidates(rest, 'longest').map(({ app }) => app),
    find(rest) {
      for (const { app, port, depth } of appCandidates(rest, 'longest')) {
        const claim = claims.of(app).find(({ vipPort }) => port === null || String(vipPort) === port);
        if (claim === undefined) continue;
        return appPath(apps, claim.service, otherPort(table, claim.service, claim.port), rest.slice(depth));
      }
      return null;
    },
    changed({ services, documents, documentsRemoved }) {
      const moved = new Set<string>();
      const put = (service: string, own: readonly Claim[]): void => {
        for (const name of claims.set(service, own)) moved.add(name);
      };
      for (const { kind, name } of documentsRemoved) if (kind === 'settings') put(name, []);
      for (const document of documents) {
        if (document.kind === 'settings') put(document.name, claimsOf(document.name, document.settings));
      }
      // Which port is an app's first is seen from its endpoints.
      const outlines = [...documents, ...documentsRemoved].filter(({ kind }) => kind === 'outline');
      for (const { name } of [...services, ...outlines]) for (const vip of claims.namesOf(name)) moved.add(vip);
      return moved;
    },
  });
}

/** What virtual addresses mean, of all services in the table. */
export function vipClaims(table: ServiceTable): NameClaims {
  const claims = new NameClaims();
  for (const { name, settings } of table.documents('settings')) claims.set(name, claimsOf(name, settings));
  return claims;
}

function claimsOf(service: string, { off, vips }: ServiceSettings): Claim[] {
  if (off) return [];
  return vips.map(({ vip, vipPort, port }) => ({ service, name: keyOf(vip), vipPort, port }));
}

/** `team/api` for the addresses `/team/api` and `/api.team`: a host of several labels comes as a path. */
function keyOf(vip: string): string {
  const segments = vip.toLowerCase().split('/');
  return segments
    .filter((segment) => segment !== '')
    .map((segment) => segment.split('.').reverse().join('/'))
    .join('/');
}

/** The name of a service's port, null where that is its first one: then it is the service itself that is meant. */
export function otherPort(table: ServiceTable, service: string, port: string | null): string | null {
  const first = portsOf(table, service)?.first;
  return port === null || port === first || port === 'port0' ? null : port;
}
