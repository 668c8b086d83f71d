/** io.nodemesh.mesos-dns: the app that the name which Mesos-DNS gives it means, `api-team` for `/team/api`. */
import type { Path } from '../path.ts';
import type { ServiceTable } from '../service-table.ts';
import { type AppCandidate, appCandidates } from './app-path.ts';
import { type Claim, NameClaims } from './name-claims.ts';
import { appPath, RewritingNamer } from './rewriting-namer.ts';

/** A DNS label has no more (RFC 1035, 2.3.4); Mesos-DNS cuts what is longer. */
const MAX_LABEL = 63;

/** The namer; `apps` is the path below which apps are named. */
export function mesosDnsNamer(table: ServiceTable, apps: Path = ['marathonId']): RewritingNamer {
  const claims = mesosDnsClaims(table);
  return new RewritingNamer(table, {
    prefix: ['io.nodemesh.mesos-dns'],
    namesIn: (rest) => labelOf(rest).map(({ app }) => app),
    find(rest) {
      for (const { app, port, depth } of labelOf(rest)) {
        const [claim] = claims.of(app);
        if (claim !== undefined) return appPath(apps, claim.service, port, rest.slice(depth));
      }
      return null;
    },
    changed({ services, removed }) {
      const moved = new Set<string>();
      const put = (service: string, own: readonly Claim[]): void => {
        for (const name of claims.set(service, own)) moved.add(name);
      };
      for (const service of removed) put(service, []);
      for (const { name, isNew } of services) if (isNew) put(name, claimsOf(name));
      return moved;
    },
  });
}

/** What Mesos-DNS' names mean, of all services in the table. */
export function mesosDnsClaims(table: ServiceTable): NameClaims {
  const claims = new NameClaims();
  for (const { name } of table.services()) claims.set(name, claimsOf(name));
  return claims;
}

function claimsOf(service: string): Claim[] {
  // What another source than Marathon lists (`#…`) is no name of Marathon's domain.
  return service.startsWith('#') ? [] : [{ service, name: mesosDnsLabel(service), vipPort: 0, port: null }];
}

/** The label of an app below `marathon.mesos`: its segments from the last to the first, with dashes. */
function mesosDnsLabel(service: string): string {
  const joined = service.toLowerCase().split('/').reverse().join('-').replaceAll('.', '-');
  return joined.slice(0, MAX_LABEL).replace(/-+$/, '');
}

/** It is one segment. */
function labelOf(rest: Path): AppCandidate[] {
  return appCandidates(rest.slice(0, 1), 'shortest');
}
