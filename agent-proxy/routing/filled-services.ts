/**
 * The endpoints of services that came one by one (scope `bound`), beside a table that has none. Each service is a small
 * table of its own, with a digest: so its endpoints are taken record by record, and change places in one step.
 */
import type { Endpoint, Frame, Service } from '../control/contract.ts';
import { digestText } from './digest.ts';
import { StagedSnapshot } from './staged-snapshot.ts';
import { type ServiceChange, TableGeneration } from './table-generation.ts';

export type FillFrame = Extract<Frame, { type: 'endpoints' | 'endpoints-patch' | 'forget' }>;

/** `change` is null where nothing is different. */
type FillOutcome =
  | { readonly kind: 'applied'; readonly change: ServiceChange | null }
  | { readonly kind: 'staged' }
  | { readonly kind: 'gap'; readonly reason: string; readonly change: ServiceChange | null };

interface Staging {
  readonly service: string;
  readonly snapshot: StagedSnapshot;
  parts: number;
}

export class FilledServices {
  private readonly tables = new Map<string, TableGeneration>();
  private staging: Staging | null = null;

  has(service: string): boolean {
    return this.tables.has(service);
  }

  service(name: string): Service | undefined {
    return this.tables.get(name)?.service(name);
  }

  *services(): IterableIterator<Service> {
    for (const [name, table] of this.tables) {
      const service = table.service(name);
      if (service !== undefined) yield service;
    }
  }

  /** The digest of each. */
  digests(): [string, string][] {
    return Array.from(this.tables, ([name, { digest }]) => [name, digest.value()]);
  }

  /** Of all together: the XOR of theirs. */
  digest(): string {
    let sum = 0n;
    for (const { digest } of this.tables.values()) sum ^= BigInt(`0x${digest.value()}`);
    return digestText(sum);
  }

  /** Takes what was on disk. */
  put(service: Service): void {
    const table = new TableGeneration();
    table.put(service);
    this.tables.set(service.name, table);
  }

  /** The endpoints that it had. */
  forget(service: string): readonly Endpoint[] {
    const endpoints = this.service(service)?.endpoints ?? [];
    this.tables.delete(service);
    return endpoints;
  }

  /** What was begun will not be completed. */
  abandon(): void {
    this.staging = null;
  }

  apply(frame: FillFrame): FillOutcome {
    switch (frame.type) {
      case 'endpoints':
        return this.take(frame);
      case 'endpoints-patch': {
        const { service } = frame.patch;
        const table = this.tables.get(service);
        if (table?.digest.value() !== frame.base) return gap(`a change of service '${service}' that is not as it was`);
        const change = table.patch(frame.patch);
        const digest = table.digest.value();
        if (digest === frame.digest) return { kind: 'applied', change };
        const reason = `service '${service}' has digest ${digest} now, and the scheduler says ${frame.digest}`;
        return { kind: 'gap', reason, change };
      }
      case 'forget': {
        const known = this.has(frame.service);
        const unset = this.forget(frame.service).map(({ instance }) => instance);
        const change = { name: frame.service, set: [], unset, size: 0, isNew: true };
        return { kind: 'applied', change: known ? change : null };
      }
    }
  }

  private take(frame: Extract<FillFrame, { type: 'endpoints' }>): FillOutcome {
    const { service, part, last, endpoints } = frame;
    const before = this.tables.get(service);
    if (part === 0) {
      this.staging = { service, snapshot: new StagedSnapshot(0, before ?? new TableGeneration()), parts: 0 };
    }
    const { staging } = this;
    if (staging === null || staging.service !== service || staging.parts !== part) {
      return gap(`part ${part} of the endpoints of service '${service}' without those before it`);
    }
    staging.parts += 1;
    staging.snapshot.append({ name: service, endpoints });
    if (!last) return { kind: 'staged' };
    this.staging = null;
    const { next } = staging.snapshot;
    const digest = next.digest.value();
    if (digest !== frame.digest) {
      return gap(`service '${service}' has digest ${digest}, and the scheduler says ${frame.digest}`);
    }
    this.tables.set(service, next);
    return { kind: 'applied', change: staging.snapshot.change().services[0] ?? null };
  }
}

function gap(reason: string): FillOutcome {
  return { kind: 'gap', reason, change: null };
}
