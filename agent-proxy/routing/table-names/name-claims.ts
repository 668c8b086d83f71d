/**
 * Which services claim a name that is not their id: the name that Mesos-DNS gives them, a virtual address. Several may
 * claim one name; which of them has it depends on the claims alone, never on the order of their arrival, so that every
 * proxy and the scheduler answer alike.
 */

export interface Claim {
  readonly service: string;
  /** The name as {@link NameClaims.of} finds it. */
  readonly name: string;
  /** The port of a virtual address; 0 where the name has none. */
  readonly vipPort: number;
  /** The name of the service's port that it leads to; null for its first. */
  readonly port: string | null;
}

/** A name that several services claim. */
export interface AmbiguousName {
  readonly kind: 'mesos-dns' | 'vip' | 'edge';
  /** `api-team`, `web:80`, `www.example.com/path`. */
  readonly name: string;
  /** The one that has it, then the others. */
  readonly services: readonly string[];
}

const HTTP_PORT = 80;

export class NameClaims {
  private readonly byName = new Map<string, Claim[]>();
  private readonly byService = new Map<string, readonly Claim[]>();

  /** The service claims these names and no others. Returns the names that may mean something else now. */
  set(service: string, claims: readonly Claim[]): Set<string> {
    const before = this.byService.get(service) ?? [];
    const touched = new Set<string>();
    for (const { name } of before) touched.add(name);
    for (const { name } of claims) touched.add(name);
    for (const name of touched) {
      const kept = this.of(name).filter((claim) => claim.service !== service);
      const all = [...kept, ...claims.filter((claim) => claim.name === name)].sort(compare);
      if (all.length === 0) this.byName.delete(name);
      else this.byName.set(name, all);
    }
    if (claims.length === 0) this.byService.delete(service);
    else this.byService.set(service, claims);
    return touched;
  }

  /** The names that a service claims. */
  namesOf(service: string): readonly string[] {
    return this.byService.get(service)?.map(({ name }) => name) ?? [];
  }

  /** The claims on a name, the one that has it first. */
  of(name: string): readonly Claim[] {
    return this.byName.get(name) ?? [];
  }

  /** The names that several services claim, in the order of the alphabet. */
  ambiguous(kind: AmbiguousName['kind']): AmbiguousName[] {
    const found: AmbiguousName[] = [];
    for (const [name, claims] of this.byName) {
      for (const vipPort of new Set(claims.map((claim) => claim.vipPort))) {
        const rivals = claims.filter((claim) => claim.vipPort === vipPort).map(({ service }) => service);
        const services = [...new Set(rivals)];
        if (services.length > 1) found.push({ kind, name: vipPort === 0 ? name : `${name}:${vipPort}`, services });
      }
    }
    return found.sort((a, b) => (a.name < b.name ? -1 : 1));
  }
}

/**
 * HTTP's own port before others, which a name without a port does not mean; an exact id before any other; then shorter
 * ids, then the alphabet: any order will do there, as long as everybody has the same.
 */
function compare(a: Claim, b: Claim): number {
  if (a.vipPort !== b.vipPort) return rankOfPort(a.vipPort) - rankOfPort(b.vipPort);
  const exact = Number(b.service === b.name) - Number(a.service === a.name);
  if (exact !== 0) return exact;
  const depth = a.service.split('/').length - b.service.split('/').length;
  if (depth !== 0) return depth;
  if (a.service !== b.service) return a.service < b.service ? -1 : 1;
  return (a.port ?? '') < (b.port ?? '') ? -1 : 1;
}

function rankOfPort(port: number): number {
  return port === HTTP_PORT ? -1 : port;
}
