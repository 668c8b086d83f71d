/**
 * Rollouts of a version of the proxies go the way of those of a configuration: the framework changes the nodes, and asks here
 * in which order, and whether a phase may pass. What is decided is in version-window.ts and gate.ts; nothing is stored.
 */
import type { AgentId, Framework, FrameworkLogger, JudgedRollout, Judgement } from '../../framework/index.ts';
import { inOrderOfChange } from './canaries.ts';
import type { NodeFact } from './config-rollout.ts';
import type { ConfiguredNode } from './configured-node.ts';
import { type ListenerPorts, ListenerProbe, probedNode } from './listener-probe.ts';
import { RolloutJudge, type Stage } from './rollout-judge.ts';
import type { TrafficHistory } from './traffic-history.ts';
import {
  beginWindow,
  knowsThePast,
  limitsOf,
  lookAtVersion,
  nextWindow,
  type VersionSettings,
  type VersionWindow,
} from './version-window.ts';

const LOOK_MS = 250;

export interface VersionGateOptions {
  readonly history: TrafficHistory;
  readonly ports: ListenerPorts;
  readonly settings: VersionSettings;
  readonly logger: FrameworkLogger;
  framework(): Pick<Framework, 'judgedRollout' | 'judge'>;
  nodes(): readonly ConfiguredNode[];
  /** Another change goes over the nodes: of the two it could not be said which did harm. */
  isBusy(): boolean;
  now(): number;
}

export class VersionGate {
  readonly #options: VersionGateOptions;
  readonly #judge: RolloutJudge;
  readonly #probe: ListenerProbe;
  #window: VersionWindow | null = null;
  #ticker: NodeJS.Timeout | undefined;

  constructor(options: VersionGateOptions) {
    this.#options = options;
    this.#judge = new RolloutJudge(options.history);
    this.#probe = new ListenerProbe(options.now);
  }

  start(): void {
    this.#ticker = setInterval(() => this.look(), LOOK_MS);
  }

  async stop(): Promise<void> {
    clearInterval(this.#ticker);
    await this.#probe.close();
  }

  /** Looks at the rollout that is under way, if there is one. Called again and again. */
  look(): void {
    const { framework, history, settings, now } = this.#options;
    const rollout = framework().judgedRollout();
    if (rollout === null) {
      if (this.#window !== null) this.#probe.want([]);
      this.#window = null;
      return;
    }
    const at = now();
    const nodes = this.#nodes();
    const stage = stageOf(rollout, nodes);
    let window = this.#window;
    if (window?.rollout !== rollout.id) {
      window = beginWindow(rollout, at);
      history.keepOnly(new Set(nodes.map(({ agentId }) => agentId)));
      this.#judge.phaseBegan(stage, at);
    } else if (window.phase !== rollout.phase) {
      window = nextWindow(window, rollout.phase);
      this.#judge.phaseBegan(stage, at);
    }
    this.#window = window;
    if (!rollout.isOrdered) {
      if (!knowsThePast(window, settings, at) || this.#options.isBusy()) return;
      this.#judge.phaseBegan(stage, at);
      const order = nodes.map(({ agentId }) => agentId as AgentId);
      return this.#say(rollout, { kind: 'begin', order });
    }
    const mine = new Set<string>([...rollout.changed, ...rollout.changing]);
    for (const agentId of mine) if (!this.#judge.wasTold(agentId)) this.#judge.told(agentId, at);
    const running = nodes.filter(({ agentId, away, goal }) => mine.has(agentId) && !away && goal === rollout.goal.id);
    this.#probe.want(running.map((node) => probedNode(node, this.#options.ports)));
    const facts = nodes.filter(({ agentId }) => mine.has(agentId)).map((node) => this.#factOf(node, rollout));
    const names = new Map(nodes.map(({ agentId, hostname }) => [agentId, hostname]));
    const verdict = this.#judge.verdict(stage, names, limitsOf(window, settings, at));
    const look = lookAtVersion(window, { rollout, mine: facts, verdict }, settings, at);
    this.#window = look.state;
    if (look.windowBegan) this.#judge.windowBegan(at);
    if (look.judgement !== null) this.#say(rollout, look.judgement);
  }

  #say(rollout: JudgedRollout, judgement: Judgement): void {
    const { framework, logger } = this.#options;
    if (judgement.kind === 'begin') {
      logger.info({ goal: rollout.goal.id, first: judgement.order[0] ?? null }, 'the rollout of a version begins');
    }
    framework().judge(rollout, judgement);
  }

  /** In the order in which they are changed. */
  #nodes(): ConfiguredNode[] {
    const { nodes, history } = this.#options;
    return inOrderOfChange(nodes().map((node) => ({ ...node, requests: history.requests(node.agentId) })));
  }

  #factOf({ agentId, hostname, away, healthy, goal, revision }: ConfiguredNode, rollout: JudgedRollout): NodeFact {
    const probe = goal === rollout.goal.id ? this.#probe.state(agentId) : 'unknown';
    return { agentId, name: hostname, away, healthy, revision, refusal: null, probe };
  }
}

function stageOf(rollout: JudgedRollout, nodes: readonly ConfiguredNode[]): Stage {
  const { changed, changing, earlier, isLastPhase } = rollout;
  const had = new Set<string>([...changed, ...changing, ...earlier]);
  const goals = new Map(nodes.map(({ agentId, goal }) => [agentId, goal]));
  return {
    // One that runs it already counts, though it is not seen to be well for long enough.
    mine: [...changed, ...changing.filter((agentId) => goals.get(agentId) === rollout.goal.id)],
    earlier,
    untouched: nodes.filter(({ agentId }) => !had.has(agentId)).map(({ agentId }) => agentId),
    isLastPhase,
  };
}
