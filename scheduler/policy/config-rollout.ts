/**
 * A configuration goes over the cluster: canaries, then shares of the nodes, then all, never more at a time than may be
 * unavailable. Each step has to hold the gate over a window; one that does not is turned back. Pure: what is known comes in
 * with an event, what is to be done comes out, and the state between is JSON, to be stored before anything is done.
 */
import { z } from 'zod';

export const rolloutSettingsSchema = z.object({
  /** Nodes of the first step; 0 for none. */
  canary: z.int().min(0).max(1_000),
  /** Shares of the nodes, in percent. The last step is all of them. */
  steps: z.array(z.number().gt(0).max(100)).min(1).max(20),
  /** How long each step has to hold the gate. Milliseconds. */
  windowMs: z.int().min(0).max(86_400_000),
  /** With fewer in its window a step is not proven. */
  minRequests: z.int().min(0),
  /** Nodes that are being changed at a time. */
  maxUnavailable: z.int().min(1),
  /** A node that is not where it is told to be after so long has failed. Milliseconds. */
  stepTimeoutMs: z.int().min(1_000),
});
export type RolloutSettings = Readonly<z.infer<typeof rolloutSettingsSchema>>;

const phaseSchema = z.object({ name: z.string(), upTo: z.int().nullable() });

export const configRolloutSchema = z.object({
  revision: z.int().min(1),
  /** What nodes go back to. */
  from: z.int().min(1),
  settings: rolloutSettingsSchema,
  phases: z.array(phaseSchema).min(1),
  phase: z.int().min(0),
  /** When the phase began. Milliseconds since the epoch, as all times here. */
  phaseAt: z.number(),
  direction: z.enum(['forward', 'back', 'over']),
  /** The operator has it wait. */
  paused: z.boolean(),
  /** Why the gate has it wait. */
  held: z.string().nullable(),
  /** The operator takes this phase for passed. */
  forced: z.boolean(),
  /** Nodes that were told another revision, and are not seen to be well with it. */
  changing: z.array(z.object({ agentId: z.string(), since: z.number() })),
  /** Nodes that run the revision, in the order in which they got it. Going back: those that are yet to be told. */
  changed: z.array(z.string()),
  /** How many nodes were changed at the end of each phase that is over. */
  ends: z.array(z.int()),
  /** `ms` is longer than the settings say while traffic is too little. */
  window: z.object({ since: z.number(), ms: z.number() }).nullable(),
  /** Phases that passed without enough traffic. */
  unproven: z.array(z.string()),
  /** Why it goes back. */
  why: z.string().nullable(),
  /** What becomes of the revision; null while that is open. */
  outcome: z.enum(['completed', 'unproven', 'bad', 'aborted']).nullable(),
});
export type ConfigRollout = Readonly<z.infer<typeof configRolloutSchema>>;

/** What is known of a node now. */
export interface NodeFact {
  readonly agentId: string;
  /** For people. */
  readonly name: string;
  /** The node is not there (lost, drained, without a proxy): nothing is expected of it, and nothing blamed on it. */
  readonly away: boolean;
  readonly healthy: boolean;
  /** What it says that it runs; 0 where it has not said it. */
  readonly revision: number;
  /** Why it does not run the revision of the rollout, in its own words. */
  readonly refusal: string | null;
  /** Whether each of its listeners answers, since it runs that revision. */
  readonly probe: 'unknown' | 'ok' | { readonly failed: string };
}

/** What the gate says of the nodes that this phase has changed. `few`: nothing against them, of too little traffic. */
export type Verdict = { readonly kind: 'pass' | 'few' } | { readonly kind: 'fail' | 'hold'; readonly why: string };

export type RolloutEvent =
  /** `nodes`: those that are to be changed first come first. `frozen`: nothing new is begun. */
  | {
      readonly kind: 'look';
      readonly nodes: readonly NodeFact[];
      readonly verdict: Verdict;
      readonly frozen: boolean;
    }
  | { readonly kind: 'pause' | 'continue' | 'force' | 'abort' };

export type RolloutAction =
  /** The node's configuration is another one now ({@link revisionFor}). */
  | { readonly kind: 'tell'; readonly agentId: string }
  /** A phase begins: what is known of the traffic now is the past. */
  | { readonly kind: 'phase' }
  /** The window begins, or begins anew: traffic counts from now on. */
  | { readonly kind: 'window' };

export interface RolloutStep {
  readonly state: ConfigRollout;
  readonly actions: readonly RolloutAction[];
}

/** Windows double while traffic is too little, up to so many times the settings'. */
const WIDEST = 4;

/** Whether the window has become as wide as it may. */
export function isWidest({ window, settings }: ConfigRollout): boolean {
  return window !== null && window.ms >= WIDEST * settings.windowMs;
}

export function beginRollout(
  { revision, from, settings, nodes }: { revision: number; from: number; settings: RolloutSettings; nodes: number },
  now: number,
): ConfigRollout {
  const shares = [...settings.steps].sort((a, b) => a - b).filter((share) => share < 100);
  const phases = [
    ...(settings.canary > 0 ? [{ name: 'canary', upTo: settings.canary }] : []),
    ...shares.map((share) => ({ name: `${share}%`, upTo: Math.ceil((nodes * share) / 100) })),
    { name: '100%', upTo: null },
  ];
  return {
    ...{ revision, from, settings, phases },
    ...{ phase: 0, phaseAt: now, direction: 'forward', paused: false, held: null, forced: false },
    ...{ changing: [], changed: [], ends: [], window: null, unproven: [], why: null, outcome: null },
  };
}

/** Which revision a node is to have: that of the rollout from its turn on, and as long as the rollout goes forward. */
export function revisionFor(rollout: ConfigRollout | null, completed: number, agentId: string): number {
  if (rollout === null || rollout.direction !== 'forward') return completed;
  return turnsOf(rollout).has(agentId) ? rollout.revision : completed;
}

/** Asked for each proxy that subscribes, of which there may be ten thousand at a time. */
const turns = new WeakMap<ConfigRollout, ReadonlySet<string>>();

/** Nodes that have had their turn, or have it. */
function turnsOf(rollout: ConfigRollout): ReadonlySet<string> {
  const known = turns.get(rollout);
  if (known !== undefined) return known;
  const had = new Set([...rollout.changed, ...rollout.changing.map(({ agentId }) => agentId)]);
  turns.set(rollout, had);
  return had;
}

/** Nodes that the present phase has changed. */
export function changedNow({ changed, ends }: ConfigRollout): readonly string[] {
  return changed.slice(ends.at(-1) ?? 0);
}

/** Nodes that phases before the present one have changed. */
export function changedEarlier({ changed, ends }: ConfigRollout): readonly string[] {
  return changed.slice(0, ends.at(-1) ?? 0);
}

export function stepRollout(state: ConfigRollout, event: RolloutEvent, now: number): RolloutStep {
  if (state.direction === 'over') return { state, actions: [] };
  switch (event.kind) {
    case 'look':
      return state.direction === 'back' ? goBack(state, event.nodes, now) : goForward(state, event, now);
    case 'pause':
      return { state: { ...state, paused: state.direction === 'forward' }, actions: [] };
    case 'continue':
      // What held it back is looked at again, from now on.
      return restarted({ ...state, paused: false, held: null }, now);
    case 'force':
      return state.direction === 'back'
        ? { state, actions: [] }
        : { state: { ...state, forced: true, paused: false, held: null }, actions: [] };
    case 'abort':
      return state.direction === 'back'
        ? { state, actions: [] }
        : turn(state, 'aborted', 'an operator aborted it', now);
  }
}

// ---- forward -------------------------------------------------------------------------------------------------------

type Look = Extract<RolloutEvent, { kind: 'look' }>;

function goForward(before: ConfigRollout, { nodes, verdict, frozen }: Look, now: number): RolloutStep {
  const known = new Map(nodes.map((node) => [node.agentId, node]));
  const fault = faultOf(before, known, now) ?? (verdict.kind === 'fail' && !before.forced ? verdict.why : null);
  if (fault !== null) return turn(before, 'bad', fault, now);
  const settled = settle(before, known);
  // The first sentence stays: with new figures each time it would be stored each time.
  const held = verdict.kind === 'hold' && !settled.forced ? (settled.held ?? verdict.why) : null;
  // A window in which others suffered too says nothing.
  const { state, actions } =
    settled.held !== null && held === null ? restarted(settled, now) : { state: settled, actions: [] };
  const looked = state.held === held ? state : { ...state, held };
  if (held !== null) return { state: looked, actions };
  const begun = looked.paused || frozen ? { state: looked, actions } : begin(looked, nodes, now, actions);
  if (begun.state.changing.length > 0 || !isFull(begun.state, nodes, now)) return begun;
  return judge(begun, known, verdict, frozen, now);
}

/** What is wrong with a node of this phase, so that the revision is. */
function faultOf(state: ConfigRollout, known: ReadonlyMap<string, NodeFact>, now: number): string | null {
  const { stepTimeoutMs } = state.settings;
  const patient = `within ${stepTimeoutMs / 1_000} s`;
  for (const { agentId, since } of state.changing) {
    const node = known.get(agentId);
    if (node === undefined || node.away) continue;
    if (node.refusal !== null) return `${node.name} refuses it: ${node.refusal}`;
    if (node.revision === state.revision && typeof node.probe === 'object')
      return failedProbe(node.name, node.probe.failed);
    if (now - since < stepTimeoutMs) continue;
    if (node.revision !== state.revision) return `${node.name} did not take it ${patient}`;
    return `${node.name} was not ${node.healthy ? 'seen to answer on all of its listeners' : 'healthy'} with it ${patient}`;
  }
  const { window } = state;
  const isLate = window !== null && now - window.since >= window.ms + stepTimeoutMs;
  for (const agentId of changedNow(state)) {
    const node = known.get(agentId);
    if (node === undefined || node.away) continue;
    if (typeof node.probe === 'object') return failedProbe(node.name, node.probe.failed);
    if (isLate && !isWell(node, state)) return `${node.name} did not stay healthy with it`;
  }
  return null;
}

const failedProbe = (name: string, failed: string): string => `${name} does not answer with it: ${failed}`;

function isWell(node: NodeFact, { revision }: ConfigRollout): boolean {
  return node.healthy && node.revision === revision && node.probe === 'ok';
}

/** Those that are well with the revision are done; of one that went away meanwhile nothing is expected. */
function settle(state: ConfigRollout, known: ReadonlyMap<string, NodeFact>): ConfigRollout {
  const changing: { agentId: string; since: number }[] = [];
  const changed = [...state.changed];
  for (const one of state.changing) {
    const node = known.get(one.agentId);
    if (node === undefined || node.away || isWell(node, state)) changed.push(one.agentId);
    else changing.push(one);
  }
  return changing.length === state.changing.length ? state : { ...state, changing, changed };
}

/** As many nodes as may be, and as the phase has, get their turn. */
function begin(
  state: ConfigRollout,
  nodes: readonly NodeFact[],
  now: number,
  actions: readonly RolloutAction[],
): RolloutStep {
  const { upTo } = state.phases[state.phase] ?? { upTo: null };
  const most = upTo ?? Number.POSITIVE_INFINITY;
  const changing = [...state.changing];
  const told: RolloutAction[] = [];
  for (const { agentId } of candidates(state, nodes)) {
    if (changing.length >= state.settings.maxUnavailable || changing.length + state.changed.length >= most) break;
    changing.push({ agentId, since: now });
    told.push({ kind: 'tell', agentId });
  }
  if (told.length === 0) return { state, actions };
  return { state: { ...state, changing, window: null }, actions: [...actions, ...told] };
}

/** Nodes that may have their turn: well ones, so that what goes wrong is seen to. */
function candidates(state: ConfigRollout, nodes: readonly NodeFact[]): NodeFact[] {
  const had = turnsOf(state);
  return nodes.filter((node) => node.healthy && !node.away && !had.has(node.agentId));
}

/** Whether the phase has all the nodes that it can have. One without any waits a while for some to get well. */
function isFull(state: ConfigRollout, nodes: readonly NodeFact[], now: number): boolean {
  const { upTo } = state.phases[state.phase] ?? { upTo: null };
  if (upTo !== null && state.changed.length >= upTo) return true;
  if (candidates(state, nodes).length > 0) return false;
  const had = turnsOf(state);
  const canCome = nodes.some((node) => !node.away && !had.has(node.agentId));
  return changedNow(state).length > 0 || !canCome || now - state.phaseAt >= state.settings.stepTimeoutMs;
}

/** All nodes of the phase run the revision: over its window it has to hold the gate. */
function judge(
  { state, actions }: RolloutStep,
  known: ReadonlyMap<string, NodeFact>,
  verdict: Verdict,
  frozen: boolean,
  now: number,
): RolloutStep {
  const mine = changedNow(state).flatMap((agentId) => known.get(agentId) ?? []);
  const isNew = mine.length > 0 || changedNow(state).length > 0;
  // A phase that has no node of its own has nothing to show.
  if (!isNew || state.forced) return state.paused || frozen ? { state, actions } : nextPhase(state, actions, now);
  const { window, settings, unproven } = state;
  if (window === null) {
    const opened = { ...state, window: { since: now, ms: settings.windowMs } };
    return { state: opened, actions: [...actions, { kind: 'window' }] };
  }
  const isOver = now - window.since >= window.ms;
  if (!isOver || state.paused || frozen || mine.some((node) => !node.away && !isWell(node, state)))
    return { state, actions };
  if (verdict.kind === 'pass') return nextPhase(state, actions, now);
  if (!isWidest(state)) {
    const wider = { since: window.since, ms: Math.min(2 * window.ms, WIDEST * settings.windowMs) };
    return { state: { ...state, window: wider }, actions };
  }
  const name = state.phases[state.phase]?.name ?? '';
  return nextPhase({ ...state, unproven: [...unproven, name] }, actions, now);
}

function nextPhase(before: ConfigRollout, actions: readonly RolloutAction[], now: number): RolloutStep {
  const state: ConfigRollout = {
    ...before,
    ends: [...before.ends, before.changed.length],
    window: null,
    forced: false,
  };
  if (state.phase + 1 < state.phases.length) {
    return { state: { ...state, phase: state.phase + 1, phaseAt: now }, actions: [...actions, { kind: 'phase' }] };
  }
  // Of a cluster without a node nothing was seen either.
  const isProven = state.unproven.length === 0 && state.changed.length > 0;
  return { state: { ...state, direction: 'over', outcome: isProven ? 'completed' : 'unproven' }, actions };
}

function restarted(state: ConfigRollout, now: number): RolloutStep {
  const { window } = state;
  if (window === null || state.direction !== 'forward') return { state, actions: [] };
  return { state: { ...state, window: { ...window, since: now } }, actions: [{ kind: 'window' }] };
}

// ---- back ----------------------------------------------------------------------------------------------------------

/** Everybody goes back to what was there before. Those in the middle are told at once: they are counted already. */
function turn(state: ConfigRollout, outcome: 'bad' | 'aborted', why: string, now: number): RolloutStep {
  const changing = state.changing.map(({ agentId }) => ({ agentId, since: now }));
  const actions = changing.map(({ agentId }): RolloutAction => ({ kind: 'tell', agentId }));
  return {
    state: { ...state, direction: 'back', outcome, why, changing, paused: false, held: null, window: null },
    actions,
  };
}

/** No node is waited for longer than its time: whoever comes back later is told where it belongs. */
function goBack(before: ConfigRollout, nodes: readonly NodeFact[], now: number): RolloutStep {
  const known = new Map(nodes.map((node) => [node.agentId, node]));
  const isThere = ({ agentId, since }: { agentId: string; since: number }): boolean => {
    const node = known.get(agentId);
    if (node === undefined || node.away || now - since >= before.settings.stepTimeoutMs) return true;
    return node.healthy && node.revision !== before.revision;
  };
  const changing = before.changing.filter((one) => !isThere(one));
  const changed = [...before.changed];
  const actions: RolloutAction[] = [];
  while (changing.length < before.settings.maxUnavailable) {
    const agentId = changed.shift();
    if (agentId === undefined) break;
    const node = known.get(agentId);
    if (node === undefined || node.away || node.revision !== before.revision) continue;
    changing.push({ agentId, since: now });
    actions.push({ kind: 'tell', agentId });
  }
  const direction = changing.length === 0 ? 'over' : 'back';
  const isSame = changing.length === before.changing.length && changed.length === before.changed.length;
  return { state: isSame && direction === 'back' ? before : { ...before, changing, changed, direction }, actions };
}
