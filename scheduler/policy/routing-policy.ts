/**
 * How names are routed, as the scheduler knows it: the namespaces, what a change of one would take away, the names that
 * clients ask for, and who changed what. What is written here is told to every proxy as a document of the feed.
 */
import type { Report } from '../../agent-proxy/control/contract.ts';
import { DEFAULT_NAMESPACE } from '../../agent-proxy/routing/table-names/namespace.ts';
import { tableNamers } from '../../agent-proxy/routing/table-names/table-namers.ts';
import type { StateStore, VersionConflict } from '../../framework/index.ts';
import type { Feed } from '../distribution/feed.ts';
import { AskedNames } from './asked-names.ts';
import { AuditLog } from './audit-log.ts';
import { DtabStore, distributedText, type WriteCondition, type WriteOutcome } from './dtab-store.ts';
import { etagOf } from './etag.ts';
import { namesUnbound } from './impact.ts';
import { inetOf } from './inet.ts';
import { MeshNames } from './mesh-names.ts';
import { Shifts, type ShiftsOptions } from './shift/shifts.ts';

export interface RoutingPolicyOptions {
  readonly store: StateStore;
  /** What the namespace `default` says where it never was. */
  readonly firstDtab?: string;
  /** Whether a change is looked at before it is made. */
  readonly dtabCheck: boolean;
  /** Milliseconds since the epoch. */
  now(): number;
  readonly feed: Pick<Feed, 'snapshot' | 'setDocument' | 'removeDocument'>;
  /** The feed has something to commit. */
  changed(): void;
  /** Nothing goes on by itself. */
  frozen(): boolean;
  conflict(error: VersionConflict): void;
  readonly logger: ShiftsOptions['logger'];
}

export interface PolicyWrite {
  /** Null deletes the namespace. */
  readonly text: string | null;
  readonly condition: WriteCondition;
  readonly by: string;
  readonly what: string;
  /** Whatever it takes away. */
  readonly force: boolean;
}

export class RoutingPolicy {
  readonly dtabs: DtabStore;
  readonly audit: AuditLog;
  readonly names: MeshNames;
  readonly asked = new AskedNames();
  readonly #options: RoutingPolicyOptions;
  #shifts: Shifts | null = null;

  private constructor(options: RoutingPolicyOptions, dtabs: DtabStore, audit: AuditLog) {
    this.#options = options;
    this.dtabs = dtabs;
    this.audit = audit;
    this.names = new MeshNames({
      snapshot: () => options.feed.snapshot(),
      inet: inetOf(),
      namersOf: (table) => tableNamers(table).namers,
    });
    dtabs.onChange((name) => this.#tell(name));
    for (const name of dtabs.names()) this.#tell(name);
  }

  /** @throws {StateStoreError} */
  static async open(options: RoutingPolicyOptions): Promise<RoutingPolicy> {
    const dtabs = await DtabStore.open(options);
    const policy = new RoutingPolicy(options, dtabs, await AuditLog.open(options));
    policy.#shifts = await Shifts.open({ ...options, frozen: () => options.frozen(), policy });
    return policy;
  }

  /** @throws where this is not open yet */
  get shifts(): Shifts {
    if (this.#shifts === null) throw new Error('the routing policy is not open yet');
    return this.#shifts;
  }

  async close(): Promise<void> {
    await this.#shifts?.close();
    await this.dtabs.close();
    await this.audit.close();
  }

  /** As {@link DtabStore.write}, after a look at what it would take away. */
  async write(name: string, { force, ...write }: PolicyWrite): Promise<WriteOutcome> {
    if (force || !this.#options.dtabCheck) return await this.dtabs.write(name, write);
    return await this.dtabs.write(name, {
      ...write,
      check: (before, after) => {
        const names = this.asked.of(name, this.#options.now());
        return namesUnbound(names, { before, after }, (dtab, path) => this.names.bind(dtab, path));
      },
    });
  }

  /** What a proxy says that its clients asked for. */
  reported({ traffic, names }: Pick<Report, 'traffic' | 'names'>): void {
    const now = this.#options.now();
    this.#shifts?.reported({ traffic });
    for (const { namespace, name, agoMs = 0 } of names ?? []) this.asked.add(namespace, name, now - agoMs);
    if (names !== undefined) return;
    // A proxy of before: its services by the name that they have for everybody.
    for (const { service, router } of traffic) {
      if (router !== 'outgoing' || service.startsWith('#') || service.startsWith('/')) continue;
      this.asked.add(DEFAULT_NAMESPACE.name, `/svc/${service.split('/').reverse().join('.')}`, now);
    }
  }

  #tell(name: string): void {
    const namespace = this.dtabs.get(name);
    const { feed } = this.#options;
    if (namespace === null) {
      feed.removeDocument({ kind: 'dtab', name });
    } else {
      const { text, version } = namespace;
      feed.setDocument({ kind: 'dtab', name, version: etagOf(version), dtab: distributedText(text) });
    }
    this.#options.changed();
  }
}
