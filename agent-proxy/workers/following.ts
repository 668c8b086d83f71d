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

  constructor(options: FollowingOptions) {
    this.options = options;
    this.answering = new Answering(options.channel, options.sources);
  }

  start(): void {
    const { channel, mesh } = this.options;
    channel.onMessage((message) => this.heard(message));
    this.join();
    if (mesh !== null) this.timer = setInterval(() => this.tellCounts(), COUNTS_MS);
  }

  /** Tells what is left to tell. */
  close(): void {
    if (this.timer === null) return;
    clearInterval(this.timer);
    this.timer = null;
    this.tellCounts();
  }

  private join(): void {
    const { channel, mesh } = this.options;
    const table =
      mesh === null ? null : { revision: mesh.table.ready ? mesh.table.revision : null, digest: mesh.table.digest() };
    channel.send(LEADER, { kind: 'join', table });
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
