/**
 * The configuration of the proxies at work: its revisions, and the plan by which one goes over the cluster. What the core
 * decides (config-rollout.ts) is stored before anything of it is done, so that a scheduler that follows goes on with it.
 */
import { z } from 'zod';
import type { GivenConfig } from '../../agent-proxy/config/spec.ts';
import type { FrameworkLogger, StateStore } from '../../framework/index.ts';
import { VersionConflict } from '../../framework/index.ts';
import { inOrderOfChange } from './canaries.ts';
import {
  beginRollout,
  type ConfigRollout,
  changedEarlier,
  changedNow,
  configRolloutSchema,
  isWidest,
  type NodeFact,
  type RolloutAction,
  type RolloutEvent,
  type RolloutSettings,
  revisionFor,
  stepRollout,
  type Verdict,
} from './config-rollout.ts';
import type { ConfiguredNode } from './configured-node.ts';
import { KeptState } from './kept-state.ts';
import { type ListenerPorts, ListenerProbe, probedNode } from './listener-probe.ts';
import { packIds, unpackIds } from './packed-ids.ts';
import { type ConfigRevision, ConfigRevisions } from './revisions.ts';
import { RolloutJudge, type Stage } from './rollout-judge.ts';
import type { TrafficHistory } from './traffic-history.ts';

const KEY = 'config/rollout';
const LOOK_MS = 250;

const keptSchema = z.object({
  /** The last revision that all nodes got. */
  completed: z.int().min(1),
  /** The one under way, or else the last one. */
  rollout: configRolloutSchema.nullable(),
});

export interface RollingConfigOptions {
  readonly store: StateStore;
  /** Of the listeners of each proxy. */
  readonly ports: ListenerPorts;
  /** What the proxies report. */
  readonly history: TrafficHistory;
  readonly logger: FrameworkLogger;
  nodes(): readonly ConfiguredNode[];
  /** Nothing new is begun. */
  frozen(): boolean;
  /** The configuration of this node is another one now; what cannot be sent is asked for when it subscribes again. */
  send(agentId: string): void;
  /** This process cannot go on. */
  fatal(error: Error): void;
}

export interface Proposal {
  readonly document: unknown;
  readonly author: string | null;
  readonly note: string | null;
  readonly rollbackOf: number | null;
  readonly settings: RolloutSettings;
}

export type ProposalOutcome =
  | { readonly kind: 'begun'; readonly revision: number }
  /** Another revision is under way. */
  | { readonly kind: 'busy'; readonly revision: number };

export class RollingConfig {
  readonly #options: RollingConfigOptions;
  readonly #kept: KeptState;
  readonly #revisions: ConfigRevisions;
  readonly #history: TrafficHistory;
  readonly #judge: RolloutJudge;
  readonly #probe: ListenerProbe;
  #completed = 1;
  #rollout: ConfigRollout | null = null;
  #isLoaded = false;
  /** One thing is done after the other. */
  #turn: Promise<unknown> = Promise.resolve();
  #isLooking = false;
  #ticker: NodeJS.Timeout | undefined;

  constructor(options: RollingConfigOptions) {
    this.#options = options;
    this.#history = options.history;
    this.#judge = new RolloutJudge(this.#history);
    this.#kept = new KeptState(options.store);
    this.#revisions = new ConfigRevisions(this.#kept);
    this.#probe = new ListenerProbe(Date.now);
  }

  /**
   * True where there was none, and what `first` gives is revision 1 now; undefined is what proxies do by themselves.
   * @throws {StateStoreError}
   */
  async load(first?: () => Promise<unknown>): Promise<boolean> {
    const isFirst = await this.#revisions.load(Date.now(), first);
    const kept = await this.#kept.read(KEY, keptSchema);
    this.#completed = kept?.completed ?? 1;
    this.#rollout = kept?.rollout == null ? null : unpacked(kept.rollout);
    this.#isLoaded = true;
    await this.#settle();
    return isFirst;
  }

  start(): void {
    this.#ticker = setInterval(() => this.#lookSoon(), LOOK_MS);
  }

  async stop(): Promise<void> {
    clearInterval(this.#ticker);
    await this.#turn;
    await this.#probe.close();
  }

  /** Before, nothing is known of what proxies run. */
  get isLoaded(): boolean {
    return this.#isLoaded;
  }

  get completed(): number {
    return this.#completed;
  }

  get isUnderWay(): boolean {
    return this.#rollout !== null && this.#rollout.direction !== 'over';
  }

  /** The one under way, or else the last one. */
  get rollout(): ConfigRollout | null {
    return this.#rollout;
  }

  revision(number: number): ConfigRevision | undefined {
    const found = this.#revisions.get(number);
    return found === undefined ? undefined : this.#asDecided(found);
  }

  /** The newest first. */
  allRevisions(): ConfigRevision[] {
    return this.#revisions.all().map((revision) => this.#asDecided(revision));
  }

  /** What is decided of a revision is stored with its plan first, and with the revision a moment later. */
  #asDecided(revision: ConfigRevision): ConfigRevision {
    const rollout = this.#rollout;
    if (rollout?.revision !== revision.revision || rollout.outcome === null) return revision;
    return { ...revision, status: rollout.outcome, why: decisionOf(rollout) };
  }

  /** What a node is to run; null before that is known. */
  configFor(agentId: string): GivenConfig | null {
    if (!this.#isLoaded) return null;
    const found = this.#revisions.get(revisionFor(this.#rollout, this.#completed, agentId));
    return found === undefined ? null : { revision: found.revision, document: found.document };
  }

  /** In the order in which they would be changed. */
  nodes(): ConfiguredNode[] {
    return inOrderOfChange(
      this.#options.nodes().map((node) => ({ ...node, requests: this.#history.requests(node.agentId) })),
    );
  }

  /** Begins a plan. @throws {StateStoreError} and then nothing is begun. */
  propose(proposal: Proposal): Promise<ProposalOutcome> {
    return this.#inTurn(async () => {
      const { settings, ...given } = proposal;
      if (this.#rollout !== null && this.#rollout.direction !== 'over') {
        return { kind: 'busy', revision: this.#rollout.revision };
      }
      const now = Date.now();
      const from = this.#completed;
      const { revision } = await this.#revisions.add({ ...given, at: now, from });
      const nodes = this.#options.nodes();
      this.#history.keepOnly(new Set(nodes.map(({ agentId }) => agentId)));
      const there = nodes.filter(({ away }) => !away).length;
      try {
        await this.#become(beginRollout({ revision, from, settings, nodes: there }, now));
      } catch (error) {
        // Nothing comes of it; where that cannot be stored either, the next start sees it.
        await this.#revisions.mark(revision, 'aborted', 'its plan could not be stored').catch(() => undefined);
        throw error;
      }
      this.#judge.phaseBegan(stageOf(this.#present(), this.#facts()), now);
      this.#options.logger.info({ revision, from, author: given.author, note: given.note }, 'a configuration goes out');
      await this.#revisions.forgetOldest(new Set([revision, from])).catch((error: unknown) => {
        this.#options.logger.warn({ reason: String(error) }, 'old revisions of the configuration are not removed');
      });
      this.#lookSoon();
      return { kind: 'begun', revision };
    });
  }

  /** What an operator wants of the plan that is under way. @throws {StateStoreError} */
  command(event: Exclude<RolloutEvent, { kind: 'look' }>): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#rollout !== null) await this.#step(this.#rollout, event, []);
      this.#lookSoon();
    });
  }

  // ---- looks -------------------------------------------------------------------------------------------------------

  #lookSoon(): void {
    if (this.#isLooking || this.#rollout === null || this.#rollout.direction === 'over') return;
    this.#isLooking = true;
    this.#inTurn(() => this.#look())
      .catch((error: unknown) => {
        this.#options.logger.error({ reason: String(error) }, 'the plan of the configuration does not go on');
      })
      .finally(() => {
        this.#isLooking = false;
      });
  }

  async #look(): Promise<void> {
    const rollout = this.#rollout;
    if (rollout === null || rollout.direction === 'over') return;
    this.#wantProbes(rollout);
    const nodes = this.#facts();
    const verdict = this.#verdict(rollout, nodes, Date.now());
    await this.#step(rollout, { kind: 'look', nodes, verdict, frozen: this.#options.frozen() }, nodes);
  }

  #verdict(rollout: ConfigRollout, nodes: readonly NodeFact[], now: number): Verdict {
    const { window, settings } = rollout;
    const isEnd = window !== null && now - window.since >= window.ms;
    const names = new Map(nodes.map(({ agentId, name }) => [agentId, name]));
    const limits = { minRequests: settings.minRequests, isEnd, isWidest: isWidest(rollout) };
    return this.#judge.verdict(stageOf(rollout, nodes), names, limits);
  }

  /** Of the nodes that this phase has changed, once they say so. */
  #wantProbes(rollout: ConfigRollout): void {
    if (rollout.direction !== 'forward') return this.#probe.want([]);
    const mine = new Set([...rollout.changing.map(({ agentId }) => agentId), ...changedNow(rollout)]);
    const running = this.#options
      .nodes()
      .filter(({ agentId, away, revision }) => mine.has(agentId) && !away && revision === rollout.revision);
    this.#probe.want(running.map((node) => probedNode(node, this.#options.ports)));
  }

  #facts(): NodeFact[] {
    const goal = this.#rollout?.revision;
    return this.nodes().map(({ agentId, hostname, away, healthy, revision, refusal }) => ({
      ...{ agentId, name: hostname, away, healthy, revision },
      refusal: refusal?.revision === goal ? (refusal?.reason ?? null) : null,
      probe: this.#probe.state(agentId),
    }));
  }

  async #step(before: ConfigRollout, event: RolloutEvent, nodes: readonly NodeFact[]): Promise<void> {
    const now = Date.now();
    const { state, actions } = stepRollout(before, event, now);
    if (state !== before) await this.#become(state);
    for (const action of actions) this.#act(action, nodes, now);
    if (state.direction === before.direction) return;
    const { revision, outcome, why } = state;
    this.#options.logger[state.direction === 'back' ? 'error' : 'info'](
      { revision, outcome, why },
      state.direction === 'back' ? 'a configuration is turned back' : 'the plan of a configuration is over',
    );
    await this.#settle();
  }

  #act(action: RolloutAction, nodes: readonly NodeFact[], now: number): void {
    switch (action.kind) {
      case 'tell':
        if (this.#present().direction === 'forward') this.#judge.told(action.agentId, now);
        this.#options.send(action.agentId);
        return;
      case 'phase':
        this.#judge.phaseBegan(stageOf(this.#present(), nodes), now);
        return;
      case 'window':
        this.#judge.windowBegan(now);
    }
  }

  /** Stored first. */
  async #become(rollout: ConfigRollout): Promise<void> {
    const { direction, outcome, revision } = rollout;
    const isDone = direction === 'over' && (outcome === 'completed' || outcome === 'unproven');
    const completed = isDone ? revision : this.#completed;
    await this.#kept.write(KEY, { completed, rollout: packed(rollout) });
    this.#rollout = rollout;
    this.#completed = completed;
  }

  /** What is decided of a revision stands with it, and who did not have its turn gets what is left. */
  async #settle(): Promise<void> {
    const rollout = this.#rollout;
    for (const { revision, status } of this.#revisions.all()) {
      // Its plan was never stored.
      if (status === 'running' && revision !== rollout?.revision) {
        await this.#revisions.mark(revision, 'aborted', 'its plan was never begun');
      }
    }
    if (rollout === null) return;
    const { revision, outcome, direction } = rollout;
    if (outcome !== null) await this.#revisions.mark(revision, outcome, decisionOf(rollout));
    if (direction !== 'over') return;
    this.#probe.want([]);
    for (const node of this.#options.nodes()) {
      if (!node.away && node.revision !== this.#completed) this.#options.send(node.agentId);
    }
  }

  #present(): ConfigRollout {
    if (this.#rollout === null) throw new Error('no rollout is under way');
    return this.#rollout;
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(work);
    this.#turn = result.catch((error: unknown) => {
      if (error instanceof VersionConflict) this.#options.fatal(error);
    });
    return result;
  }
}

function decisionOf({ outcome, unproven, why }: ConfigRollout): string | null {
  if (outcome !== 'unproven' || unproven.length === 0) return why;
  return `too little traffic in ${unproven.join(', ')}`;
}

function packed(rollout: ConfigRollout): ConfigRollout {
  return { ...rollout, changed: packIds(rollout.changed) };
}

function unpacked(rollout: ConfigRollout): ConfigRollout {
  return { ...rollout, changed: unpackIds(rollout.changed) };
}

function stageOf(rollout: ConfigRollout, nodes: readonly NodeFact[]): Stage {
  const had = new Set([...rollout.changed, ...rollout.changing.map(({ agentId }) => agentId)]);
  // One that runs it already counts, though it is not seen to be well yet.
  const running = new Set(nodes.flatMap((node) => (node.revision === rollout.revision ? [node.agentId] : [])));
  const trying = rollout.changing.flatMap(({ agentId }) => (running.has(agentId) ? [agentId] : []));
  return {
    mine: [...changedNow(rollout), ...trying],
    earlier: changedEarlier(rollout),
    untouched: nodes.filter(({ agentId }) => !had.has(agentId)).map(({ agentId }) => agentId),
    isLastPhase: rollout.phase === rollout.phases.length - 1,
  };
}
