/**
 * The other workers, as the one that leads sees them: what they say to its questions, what they are told, and what they
 * count for the report to the scheduler.
 */
import type { Report } from '../control/contract.ts';
import type { PeerKeys } from '../control/peer-keys.ts';
import { exportTree, MergedMetrics } from '../telemetry/merge.ts';
import type { MetricsTree, ScopeSource } from '../telemetry/metrics-tree.ts';
import type { RecentRow } from '../telemetry/recent-requests.ts';
import type { TrafficCounter } from '../telemetry/traffic.ts';
import { Asking } from './asking.ts';
import { FollowerCounts } from './follower-counts.ts';
import type { Answers, Channel, FromFollower, FromLeader, Question, TableState } from './messages.ts';
import { oneInATurn } from './pieces.ts';
import { TableFeed } from './table-feed.ts';
import { tableFrames } from './table-frames.ts';
import type { ToldTable } from './told-table.ts';

export interface FollowersOptions {
  readonly channel: Channel<FromLeader, FromFollower>;
  /** Of all workers, this one among them. */
  readonly count: number;
  readonly tree: MetricsTree;
  readonly now: () => number;
  /** Under a scheduler. */
  readonly mesh: { readonly table: ToldTable; readonly keys: PeerKeys; readonly epoch: () => number } | null;
}

export class Followers {
  private readonly counts: FollowerCounts;
  private readonly options: FollowersOptions;
  private readonly asking: Asking;
  private readonly feeds = new Map<number, TableFeed>();
  private readonly levels = new Map<string, string>();
  /** What each wants, and how to want it no more. */
  private readonly wants = new Map<number, Map<string, () => void>>();

  constructor(options: FollowersOptions) {
    const { channel, count, mesh } = options;
    this.options = options;
    this.asking = new Asking(channel);
    this.counts = new FollowerCounts(options.now);
    if (mesh !== null) {
      for (let index = 1; index < count; index += 1) {
        this.feeds.set(index, new TableFeed(() => tableFrames(mesh.table, mesh.epoch())));
      }
      mesh.table.watchedBy({
        changed: (delta) => this.feedAll((feed) => feed.changed(delta)),
        replaced: () => this.feedAll((feed) => feed.replaced()),
      });
    }
    channel.onMessage((message, from) => this.heard(message, from));
    this.tellAll({ kind: 'lead' });
  }

  figures(): Readonly<Record<string, number>> {
    return { count: this.options.count, unanswered: this.asking.unanswered };
  }

  // ---- one admin view ---------------------------------------------------------------------------------------------------

  /** The figures of all workers that answer. */
  async metrics(): Promise<ScopeSource> {
    const { tree, now } = this.options;
    const others = this.askAll('metrics');
    const merged = new MergedMetrics();
    for await (const piece of exportTree(tree, now)) merged.add(piece);
    // An answer that is not complete is not used: counters would seem to go back.
    for await (const piece of oneInATurn((await others).flat())) merged.add(piece);
    return merged;
  }

  /** What all workers keep of the last requests, the last one first. */
  async requests(own: readonly RecentRow[]): Promise<RecentRow[]> {
    const others = (await this.askAll('requests')).flat(2);
    return [...own, ...others].sort((left, right) => (left.time < right.time ? 1 : -1));
  }

  /** The clients of the others, each with its worker in front of its name. */
  async *clients(): AsyncGenerator<Answers['clients']> {
    for (const [at, pieces] of (await this.askAll('clients')).entries()) {
      for (const [name, state] of pieces.flat()) yield [`worker ${at + 1}: ${name}`, state];
    }
  }

  setLevel(logger: string, level: string): void {
    this.levels.set(logger, level);
    this.tellAll({ kind: 'level', logger, level });
  }

  // ---- under a scheduler ------------------------------------------------------------------------------------------------

  /** The peers' key is a new one. */
  keyChanged(key: string): void {
    this.tellAll({ kind: 'peer-key', key });
  }

  /** What this worker and the others have counted. */
  countsWith(own: TrafficCounter): Pick<TrafficCounter, 'take' | 'giveBack'> {
    return {
      take: (now) => this.counts.take(own, now),
      giveBack: (window) => own.giveBack(window),
    };
  }

  /** What all know of the instances on this node. */
  instances(own: Report['instances']): Report['instances'] {
    return this.counts.instances(own);
  }

  private heard(message: FromFollower, from: number): void {
    switch (message.kind) {
      case 'join':
        this.joined(message.table, from);
        return;
      case 'piece':
        this.asking.heard(message);
        return;
      case 'took': {
        const feed = this.feeds.get(from);
        if (feed === undefined) return;
        feed.took(message.isGap);
        this.feed(feed, from);
        return;
      }
      case 'want':
        this.wanted(message.services, message.isWanted, from);
        return;
      case 'counts':
        this.counts.add(from, message);
    }
  }

  private wanted(services: readonly string[], isWanted: boolean, from: number): void {
    const wants = this.wants.get(from);
    const table = this.options.mesh?.table;
    if (wants === undefined || table === undefined) return;
    for (const service of services) {
      if (isWanted && !wants.has(service)) wants.set(service, table.wanted.add(service));
      if (isWanted) continue;
      wants.get(service)?.();
      wants.delete(service);
    }
  }

  private joined(state: TableState | null, from: number): void {
    const { channel, mesh } = this.options;
    for (const wantNoMore of this.wants.get(from)?.values() ?? []) wantNoMore();
    this.wants.set(from, new Map());
    for (const [logger, level] of this.levels) channel.send(from, { kind: 'level', logger, level });
    const feed = this.feeds.get(from);
    if (mesh === null || state === null || feed === undefined) return;
    const { table, keys } = mesh;
    if (keys.current !== null) channel.send(from, { kind: 'peer-key', key: keys.current });
    // Without a table of its own the leader has nothing to tell yet.
    const isSame = state.digest === table.digest() && state.filled === table.filledDigest();
    feed.join(!table.ready || (state.revision === table.revision && isSame));
    this.feed(feed, from);
  }

  private feedAll(act: (feed: TableFeed) => void): void {
    for (const [index, feed] of this.feeds) {
      act(feed);
      this.feed(feed, index);
    }
  }

  private feed(feed: TableFeed, index: number): void {
    for (let frame = feed.next(); frame !== null; frame = feed.next()) {
      // One that cannot be sent leaves a gap, which the worker finds at the next change.
      if (!this.options.channel.send(index, { kind: 'frame', frame })) {
        feed.took(true);
        return;
      }
    }
  }

  private tellAll(message: FromLeader): void {
    const { channel, count } = this.options;
    for (let index = 1; index < count; index += 1) channel.send(index, message);
  }

  /** The answers of those that gave one. */
  private async askAll<Asked extends Question>(question: Asked): Promise<(readonly (readonly Answers[Asked][])[])[]> {
    const indices = Array.from({ length: this.options.count - 1 }, (_, at) => at + 1);
    const answers = await Promise.all(indices.map((index) => this.asking.ask(index, question)));
    return answers.map((pieces) => pieces ?? []);
  }
}
