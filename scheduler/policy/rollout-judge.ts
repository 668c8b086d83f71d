/**
 * Keeps what the gate needs while a rollout goes on: where the counters of the nodes stood when a phase began, when a node
 * had its turn, when the window began. It is not stored: after a start of the scheduler the past is not known, and nodes are
 * compared with the present of the others.
 */
import {
  type ConfigRollout,
  changedEarlier,
  changedNow,
  isWidest,
  type NodeFact,
  type Verdict,
} from './config-rollout.ts';
import { type JudgedNode, judgeTraffic } from './gate.ts';
import type { Figures, Mark, TrafficHistory } from './traffic-history.ts';

/** Others are a sample, so that a look takes no longer in a large cluster. */
const MOST_OTHERS = 100;
/** The same before the end of the window, for those that are changed. */
const MOST_EARLY = 100;

interface Known {
  readonly past: Figures | null;
  /** Traffic counts from here on. */
  from: Mark | null;
}

const UNKNOWN: Known = { past: null, from: null };

export class RolloutJudge {
  readonly #history: TrafficHistory;
  readonly #changed = new Map<string, Known>();
  readonly #others = new Map<string, Known>();

  constructor(history: TrafficHistory) {
    this.#history = history;
  }

  /** A phase begins, or the scheduler goes on with one: what is known now is the past of the others. */
  phaseBegan(rollout: ConfigRollout, nodes: readonly NodeFact[], now: number): void {
    this.#changed.clear();
    this.#others.clear();
    for (const agentId of this.#sample(rollout, nodes)) {
      this.#others.set(agentId, { past: this.#history.past(agentId), from: this.#history.mark(agentId, now) });
    }
  }

  /** A node has its turn. */
  told(agentId: string, now: number): void {
    this.#changed.set(agentId, { past: this.#history.past(agentId), from: this.#history.mark(agentId, now) });
  }

  windowBegan(now: number): void {
    for (const known of [this.#changed, this.#others]) {
      for (const [agentId, one] of known) one.from = this.#history.mark(agentId, now);
    }
  }

  verdict(rollout: ConfigRollout, nodes: readonly NodeFact[], now: number): Verdict {
    const { window, settings } = rollout;
    const isEnd = window !== null && now - window.since >= window.ms;
    const names = new Map(nodes.map(({ agentId, name }) => [agentId, name]));
    // One that runs it already counts, though it is not seen to be well yet.
    const running = new Set(nodes.flatMap((node) => (node.revision === rollout.revision ? [node.agentId] : [])));
    const trying = rollout.changing.flatMap(({ agentId }) => (running.has(agentId) ? [agentId] : []));
    const mine = [...changedNow(rollout), ...trying];
    const others = this.#sample(rollout, nodes).map(
      (agentId) => [agentId, this.#others.get(agentId) ?? UNKNOWN] as const,
    );
    return judgeTraffic({
      changed: this.#judged(isEnd ? mine : mine.slice(-MOST_EARLY), names),
      others: others.map(([agentId, known]) => this.#one(agentId, known, names)),
      minRequests: settings.minRequests,
      isEnd,
      isWidest: isWidest(rollout),
    });
  }

  #judged(agentIds: readonly string[], names: ReadonlyMap<string, string>): JudgedNode[] {
    return agentIds.map((agentId) => this.#one(agentId, this.#changed.get(agentId) ?? UNKNOWN, names));
  }

  #one(agentId: string, { past, from }: Known, names: ReadonlyMap<string, string>): JudgedNode {
    return { name: names.get(agentId) ?? agentId, past, now: this.#history.since(agentId, from) };
  }

  /** Nodes that are not changed; in the last phase, where there are none, those that were changed before it. */
  #sample(rollout: ConfigRollout, nodes: readonly NodeFact[]): string[] {
    const had = new Set([...rollout.changed, ...rollout.changing.map(({ agentId }) => agentId)]);
    const isLast = rollout.phase === rollout.phases.length - 1;
    const untouched = nodes.filter(({ agentId }) => !had.has(agentId)).map(({ agentId }) => agentId);
    const earlier = changedEarlier(rollout);
    return (isLast && earlier.length > 0 ? earlier : untouched).slice(0, MOST_OTHERS);
  }
}
