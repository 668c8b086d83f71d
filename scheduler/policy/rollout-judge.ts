/**
 * Keeps what the gate needs while a rollout goes on: where the counters of the nodes stood when a phase began, when a node
 * had its turn, when the window began. It is not stored: after a start of the scheduler the past is not known, and nodes are
 * compared with the present of the others.
 */
import type { Verdict } from './config-rollout.ts';
import { type JudgedNode, judgeTraffic } from './gate.ts';
import type { Figures, Mark, TrafficHistory } from './traffic-history.ts';

/** Others are a sample, so that a look takes no longer in a large cluster. */
const MOST_OTHERS = 100;
/** The same before the end of the window, for those that are changed. */
const MOST_EARLY = 100;

/** Who has been changed, whatever it is that changes. */
export interface Stage {
  /** Nodes that the phase has changed, and those that it is changing and that run the new one already. */
  readonly mine: readonly string[];
  /** Nodes that phases before it have changed. */
  readonly earlier: readonly string[];
  /** Nodes that are not changed, and not being changed. */
  readonly untouched: readonly string[];
  readonly isLastPhase: boolean;
}

export interface Limits {
  /** On the nodes of the phase, in the window. */
  readonly minRequests: number;
  /** The window is over. */
  readonly isEnd: boolean;
  /** It cannot be widened any more. */
  readonly isWidest: boolean;
}

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
  phaseBegan(stage: Stage, now: number): void {
    this.#changed.clear();
    this.#others.clear();
    for (const agentId of sampleOf(stage)) this.#others.set(agentId, this.#knownOf(agentId, now));
  }

  /** A node has its turn. */
  told(agentId: string, now: number): void {
    this.#changed.set(agentId, this.#knownOf(agentId, now));
  }

  wasTold(agentId: string): boolean {
    return this.#changed.has(agentId);
  }

  windowBegan(now: number): void {
    for (const known of [this.#changed, this.#others]) {
      for (const [agentId, one] of known) one.from = this.#history.mark(agentId, now);
    }
  }

  /** `names`: of nodes, for people. */
  verdict(stage: Stage, names: ReadonlyMap<string, string>, limits: Limits): Verdict {
    const mine = limits.isEnd ? stage.mine : stage.mine.slice(-MOST_EARLY);
    return judgeTraffic({
      ...limits,
      changed: mine.map((agentId) => this.#one(agentId, this.#changed.get(agentId) ?? UNKNOWN, names)),
      others: sampleOf(stage).map((agentId) => this.#one(agentId, this.#others.get(agentId) ?? UNKNOWN, names)),
    });
  }

  #knownOf(agentId: string, now: number): Known {
    return { past: this.#history.past(agentId), from: this.#history.mark(agentId, now) };
  }

  #one(agentId: string, { past, from }: Known, names: ReadonlyMap<string, string>): JudgedNode {
    return { name: names.get(agentId) ?? agentId, past, now: this.#history.since(agentId, from) };
  }
}

/** Nodes that are not changed; in the last phase, where there are none, those that were changed before it. */
function sampleOf({ untouched, earlier, isLastPhase }: Stage): readonly string[] {
  return (isLastPhase && earlier.length > 0 ? earlier : untouched).slice(0, MOST_OTHERS);
}
