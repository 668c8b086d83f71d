/**
 * Which host names a service answers to, and which service a host name means. Names are compared without case, without
 * a trailing dot and without a port.
 */

/** The domain under which Mesos-DNS lists Marathon's tasks. */
const MARATHON_DOMAIN = 'marathon.mesos';
const ALREADY_NORMAL = /^[a-z0-9-]+(\.[a-z0-9-]+)*$/;

/** Lower case, no port, no trailing dot. Brackets of an IPv6 literal stay. */
export function normalizeHost(host: string): string {
  if (ALREADY_NORMAL.test(host)) return host;
  let name = host.trim().toLowerCase();
  // A colon inside brackets belongs to an IPv6 address.
  name = name.replace(/:\d*$/, (port) => (name.startsWith('[') && !name.includes(']:') ? port : ''));
  return name.endsWith('.') && name.length > 1 ? name.slice(0, -1) : name;
}

export interface HostName {
  readonly host: string;
  /** When two services claim a name, the lower rank has it: the plain name before Mesos-DNS' joined form. */
  readonly rank: number;
}

/**
 * The names of a service, by its Marathon id without the leading slash: `web` and `web.marathon.mesos`; for `team/api`
 * `api.team`, `api.team.marathon.mesos`, and `api-team.marathon.mesos` as Mesos-DNS has it.
 */
export function hostNamesOf(service: string): HostName[] {
  // Services of other namers than Marathon's begin with `#`; they are found by a path only.
  if (service.startsWith('#')) return [];
  const segments = service.toLowerCase().split('/').reverse();
  const dotted = canonicalHostOf(service);
  const names: HostName[] = [
    { host: dotted, rank: 0 },
    { host: `${dotted}.${MARATHON_DOMAIN}`, rank: 1 },
  ];
  if (segments.length > 1) names.push({ host: `${segments.join('-')}.${MARATHON_DOMAIN}`, rank: 2 });
  return names;
}

/** The name that stands for all of a service's names: `api.team` for `team/api`. */
export function canonicalHostOf(service: string): string {
  return service.toLowerCase().split('/').reverse().join('.');
}

interface Claim {
  readonly service: string;
  readonly rank: number;
}

/** Shorter ids first, then by the alphabet: any order will do, as long as every proxy has the same. */
function precedes(a: Claim, b: Claim): boolean {
  if (a.rank !== b.rank) return a.rank < b.rank;
  const depth = a.service.split('/').length - b.service.split('/').length;
  if (depth !== 0) return depth < 0;
  return a.service < b.service;
}

/** Host name → service. What it answers depends on the services that it holds, never on the order of their arrival. */
export class HostIndex {
  /** Claims on each name, the one that holds first. Nearly always there is one. */
  private readonly claims = new Map<string, Claim[]>();

  add(service: string): void {
    for (const { host, rank } of hostNamesOf(service)) {
      const held = this.claims.get(host);
      if (held === undefined) {
        this.claims.set(host, [{ service, rank }]);
        continue;
      }
      if (held.some((claim) => claim.service === service && claim.rank === rank)) continue;
      held.push({ service, rank });
      held.sort((a, b) => (precedes(a, b) ? -1 : 1));
    }
  }

  remove(service: string): void {
    for (const { host } of hostNamesOf(service)) {
      const left = this.claims.get(host)?.filter((claim) => claim.service !== service) ?? [];
      if (left.length === 0) this.claims.delete(host);
      else this.claims.set(host, left);
    }
  }

  /** The service that a normal host name ({@link normalizeHost}) means. */
  lookup(host: string): string | undefined {
    return this.claims.get(host)?.[0]?.service;
  }
}
