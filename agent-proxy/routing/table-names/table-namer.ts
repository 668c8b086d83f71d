/**
 * io.l5d.marathon answered from the table of the control stream: nobody polls, and names follow the table. A change costs
 * what it changes: endpoints are passed on as patches, and only look-ups of services that come, go, or change between
 * having endpoints and none are told.
 */
import { type Activity, type ActivityState, PENDING, type Unsubscribe } from '../activity.ts';
import { leaf, type NameTree, NEG } from '../name-tree.ts';
import type { AddressChange, Namer, NamerLeaf } from '../names.ts';
import type { Path } from '../path.ts';
import type { ServiceTable } from '../service-table.ts';
import type { TableChange } from '../staged-snapshot.ts';
import { type AppCandidate, appCandidates, appId, atPort, otherCandidates } from './app-path.ts';
import { Computed } from './computed.ts';
import { TableService, type TableServices } from './table-service.ts';

const NOTHING: ActivityState<NameTree<NamerLeaf>> = { kind: 'ok', value: NEG };
const RESET: AddressChange = { kind: 'reset' };

const ofFirstMarathon = (rest: Path): AppCandidate[] => appCandidates(rest, 'longest');

export class TableNamer implements Namer {
  readonly prefix: Path;
  private readonly table: ServiceTable;
  private readonly candidatesOf: (rest: Path) => AppCandidate[];
  private readonly services: TableServices = new Map();
  private readonly stop: Unsubscribe;
  private wasReady: boolean;

  constructor(table: ServiceTable, prefix: Path = ['io.l5d.marathon'], candidatesOf = ofFirstMarathon) {
    this.prefix = prefix;
    this.candidatesOf = candidatesOf;
    this.table = table;
    this.wasReady = table.ready;
    this.stop = table.onChange((change) => this.changed(change));
  }

  lookup(rest: Path): Activity<NameTree<NamerLeaf>> {
    const candidates = this.candidatesOf(rest);
    let matched: AppCandidate | null = null;
    let bound = NOTHING;
    const compute = (): ActivityState<NameTree<NamerLeaf>> => {
      if (!this.table.ready) return PENDING;
      // The longest id that is there decides, also where it has no endpoints: a shorter one is another app.
      const candidate = candidates.find(({ app }) => this.sizeOf(app) >= 0);
      if (candidate === undefined || this.sizeOf(candidate.app) === 0 || this.isOff(candidate.app)) return NOTHING;
      if (candidate !== matched) {
        matched = candidate;
        bound = { kind: 'ok', value: this.leaf(candidate, rest) };
      }
      return bound;
    };
    const activity = new Computed(compute, () => {
      const stops = candidates.map(({ app }) => this.service(app).concern(refresh));
      return () => {
        for (const stop of stops) stop();
        matched = null;
      };
    });
    const refresh = (): void => activity.refresh();
    return activity;
  }

  /** How many services somebody wants to know of. */
  get size(): number {
    return this.services.size;
  }

  /** Hears no more of the table. */
  close(): void {
    this.stop();
  }

  private leaf(candidate: AppCandidate, rest: Path): NameTree<NamerLeaf> {
    const addresses = atPort(this.service(candidate.app), candidate);
    const bound = { id: appId(this.prefix, candidate), residual: rest.slice(candidate.depth), addresses };
    return leaf({ kind: 'bound', bound });
  }

  private service(name: string): TableService {
    return this.services.get(name) ?? new TableService(name, this.table, this.services);
  }

  /** A label of the app says so. A shorter id is another app, and does not take its place. */
  private isOff(name: string): boolean {
    return this.table.document('settings', name)?.settings.off === true;
  }

  private sizeOf(name: string): number {
    return this.services.get(name)?.size ?? this.table.size(name);
  }

  /** First all sizes, then those who hear of addresses, then look-ups: whoever is told sees the table as it is now. */
  private changed(change: TableChange): void {
    const told: [TableService, AddressChange][] = [];
    const lookups = new Set<() => void>();
    const resize = (service: TableService, size: number): void => {
      if (Math.sign(size) !== Math.sign(service.size)) for (const lookup of service.concerned()) lookups.add(lookup);
      service.size = size;
    };
    for (const name of change.removed) {
      const service = this.services.get(name);
      if (service === undefined) continue;
      resize(service, -1);
      told.push([service, RESET]);
    }
    for (const { name, set, unset, size, isNew } of change.services) {
      const service = this.services.get(name);
      if (service === undefined) continue;
      resize(service, size);
      told.push([service, isNew ? RESET : { kind: 'patch', set, unset, size }]);
    }
    for (const { kind, name } of [...change.documents, ...change.documentsRemoved]) {
      const service = kind === 'settings' ? this.services.get(name) : undefined;
      for (const lookup of service?.concerned() ?? []) lookups.add(lookup);
    }
    if (this.table.ready && !this.wasReady) {
      this.wasReady = true;
      told.length = 0;
      for (const service of this.services.values()) {
        told.push([service, RESET]);
        for (const lookup of service.concerned()) lookups.add(lookup);
      }
    }
    for (const [service, addressChange] of told) service.tell(addressChange);
    for (const lookup of lookups) lookup();
  }
}

/**
 * The services of all other sources: `/#/eu/team/api` is `#eu/team/api`. Which sources there are, the table says; so it
 * is asked for every prefix, after the namers that have one of their own.
 */
export function otherSourcesNamer(table: ServiceTable): TableNamer {
  return new TableNamer(table, [], otherCandidates);
}
