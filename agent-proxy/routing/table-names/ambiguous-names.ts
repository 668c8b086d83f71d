/** The names that several apps of the table claim, with the one that has each: for people, who can tell which they meant. */
import { ExposedApps } from '../exposed-apps.ts';
import type { ServiceTable } from '../service-table.ts';
import { mesosDnsClaims } from './mesos-dns.ts';
import type { AmbiguousName } from './name-claims.ts';
import { vipClaims } from './vip.ts';

export function ambiguousNames(table: ServiceTable): AmbiguousName[] {
  const exposed = new ExposedApps(table);
  exposed.close();
  return [
    ...mesosDnsClaims(table).ambiguous('mesos-dns'),
    ...vipClaims(table).ambiguous('vip'),
    ...exposed.ambiguous(),
  ];
}
