/**
 * What a worker does for the one that leads: it answers questions, takes the table from it, and tells what it has counted.
 */
import type { PeerKeys } from '../control/peer-keys.ts';
import type { LocalInstances } from '../health/local-instances.ts';
import type { ServiceTable } from '../routing/service-table.ts';
import type { Log } from '../telemetry/log.ts';
import type { TrafficCounter } from '../telemetry/traffic.ts';
import { Answering, type Sources } from './answering.ts';
import type { Channel, FromFollower, FromLeader } from './messages.ts';

const LEADER = 0;
const COUNTS_MS = 500;
/** Each entry has a histogram. */
const ENTRIES_A_MESSAGE = 40;
/** Names of services. */
const WANTS_A_MESSAGE = 200;

export interface FollowingOptions {
  readonly channel: Channel<FromFollower, FromLeader>;
  readonly sources: Sources;
  readonly log: Log;
  readonly now: () => number;
  /** Under a scheduler. */
  readonly mesh: {
    readonly table: ServiceTable;
    readonly keys: PeerKeys;
    readonly traffic: TrafficCounter;
    readonly locals: LocalInstances;
  } | null;
}

export class Following {
  private readonly options: FollowingOptions;
  private readonly answering: Answering;
  private timer: NodeJS.Timeout | null = null;
  /** What has to be said of what is wanted. */
  private readonly wants = new Map<string, boolean>();
  private wantsSoon: NodeJS.Immediate | null = null;
  private stopWants: (() => void) | null = null;

  constructor(options: FollowingOptions) {
    this.options = options;
    this.answering = new Answering(options.channel, options.sources);
  }

  start(): void {
    const { channel, mesh } = this.options;
    channel.onMessage((message) => this.heard(message));
    this.join();
    if (mesh === null) return;
    this.stopWants = mesh.table.wanted.onChange((service, isWanted) => {
      this.wants.set(service, isWanted);
      this.wantsSoon ??= setImmediate(() => this.tellWants());
    });
    this.timer = setInterval(() => {
      this.tellWants();
      this.tellCounts();
    }, COUNTS_MS);
  }

  /** Tells what is left to tell. */
  close(): void {
    if (this.timer === null) return;
    clearInterval(this.timer);
    this.timer = null;
    this.stopWants?.();
    if (this.wantsSoon !== null) clearImmediate(this.wantsSoon);
    this.tellCounts();
  }

  private join(): void {
    const { channel, mesh } = this.options;
    const table =
      mesh === null
        ? null
        : {
            revision: mesh.table.ready ? mesh.table.revision : null,
            digest: mesh.table.digest(),
            filled: mesh.table.filledDigest(),
          };
    channel.send(LEADER, { kind: 'join', table });
    // The leader knows nothing of what was wanted before.
    this.wants.clear();
    for (const service of mesh?.table.wanted.names() ?? []) this.wants.set(service, true);
    this.tellWants();
  }

  private heard(message: FromLeader): void {
    const { channel, mesh, log } = this.options;
    switch (message.kind) {
      case 'lead':
        this.join();
        return;
      case 'level':
        log.levels.set(message.logger, message.level);
        return;
      case 'ask':
        void this.answering.ask(LEADER, message.id, message.question).catch((error: unknown) => this.complain(error));
        return;
      case 'more':
        void this.answering.more(LEADER, message.id).catch((error: unknown) => this.complain(error));
        return;
      case 'peer-key':
        mesh?.keys.set(message.key);
        return;
      case 'frame': {
        const applied = mesh?.table.apply(message.frame);
        channel.send(LEADER, { kind: 'took', isGap: applied?.kind === 'gap' });
      }
    }
  }

  /** What cannot be sent now goes with the next counts. */
  private tellWants(): void {
    this.wantsSoon = null;
    for (const isWanted of [true, false]) {
      const services = [...this.wants].filter(([, each]) => each === isWanted).map(([service]) => service);
      for (let from = 0; from < services.length; from += WANTS_A_MESSAGE) {
        const some = services.slice(from, from + WANTS_A_MESSAGE);
        if (!this.options.channel.send(LEADER, { kind: 'want', services: some, isWanted })) return;
        for (const service of some) this.wants.delete(service);
      }
    }
  }

  private complain(error: unknown): void {
    const why = error instanceof Error ? error.message : String(error);
    this.options.log.warn('a question of the leading worker was not answered', { error: why });
  }

  private tellCounts(): void {
    const { mesh, channel, now } = this.options;
    if (mesh === null) return;
    const { startedAt, traffic, names } = mesh.traffic.take(now());
    const instances = mesh.locals.report();
    const entries = Math.max(traffic.length, names.length, instances.length);
    for (let from = 0; from < entries; from += ENTRIES_A_MESSAGE) {
      const to = from + ENTRIES_A_MESSAGE;
      const [some, named] = [traffic.slice(from, to), names.slice(from, to)];
      if (channel.send(LEADER, { kind: 'counts', traffic: some, names: named, instances: instances.slice(from, to) }))
        continue;
      // What could not be sent goes with the next.
      mesh.traffic.giveBack({ startedAt, traffic: traffic.slice(from), names: names.slice(from) });
      return;
    }
  }
}
