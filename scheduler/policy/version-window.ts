/**
 * How a rollout of a version is judged: as one of a configuration is. It begins when enough is known of the traffic before;
 * over a window in which all nodes of the phase are well, the gate has to hold. Pure; nothing of it is stored, since what it
 * compares with is not either: a scheduler that follows begins the window anew.
 */
import type { JudgedRollout, Judgement } from '../../framework/index.ts';
import type { NodeFact, Verdict } from './config-rollout.ts';

export interface VersionSettings {
  /** How long each phase has to hold the gate. Milliseconds. */
  readonly windowMs: number;
  /** With fewer in its window a phase is not proven. */
  readonly minRequests: number;
  /** A node that falls ill within its window, and stays so for so long, has failed. Milliseconds. */
  readonly stepTimeoutMs: number;
}

export interface VersionWindow {
  readonly rollout: string;
  readonly phase: number;
  /** When the rollout was first looked at. */
  readonly since: number;
  readonly window: { readonly since: number; readonly ms: number } | null;
  /** All nodes of the phase were changed at this time; null: not yet. */
  readonly fullSince: number | null;
  readonly isHeld: boolean;
}

export interface VersionLook {
  readonly state: VersionWindow;
  readonly judgement: Judgement | null;
  /** The window begins, or begins anew: traffic counts from now on. */
  readonly windowBegan: boolean;
}

/** Windows double while traffic is too little, up to so many times the settings'. */
const WIDEST = 4;
/** The past that nodes are compared with is so long where it can be. */
const LONGEST_PAST_MS = 30_000;

export function beginWindow({ id, phase }: JudgedRollout, now: number): VersionWindow {
  return { rollout: id, phase, since: now, window: null, fullSince: null, isHeld: false };
}

/** The next phase of the same rollout. */
export function nextWindow(before: VersionWindow, phase: number): VersionWindow {
  return { ...before, phase, window: null, fullSince: null, isHeld: false };
}

/** Enough is known of the traffic before. */
export function knowsThePast({ since }: VersionWindow, { windowMs }: VersionSettings, now: number): boolean {
  return now - since >= Math.min(windowMs, LONGEST_PAST_MS);
}

export function limitsOf({ window }: VersionWindow, settings: VersionSettings, now: number) {
  return {
    minRequests: settings.minRequests,
    isEnd: window !== null && now - window.since >= window.ms,
    isWidest: window !== null && window.ms >= WIDEST * settings.windowMs,
  };
}

export interface VersionSight {
  readonly rollout: JudgedRollout;
  /** Nodes of the phase, those that are changed and those that are being changed. */
  readonly mine: readonly NodeFact[];
  readonly verdict: Verdict;
}

/** A look at a rollout that has begun. */
export function lookAtVersion(
  before: VersionWindow,
  { rollout, mine, verdict }: VersionSight,
  settings: VersionSettings,
  now: number,
): VersionLook {
  const say = (state: VersionWindow, judgement: Judgement | null, windowBegan = false): VersionLook => ({
    ...{ state, judgement, windowBegan },
  });
  if (rollout.hasPassed) return say(before, null);
  const fault = faultOf(before, rollout, mine, settings, now) ?? (verdict.kind === 'fail' ? verdict.why : null);
  if (fault !== null) return say(before, { kind: 'fail', why: fault });
  if (verdict.kind === 'hold') {
    return before.isHeld ? say(before, null) : say({ ...before, isHeld: true }, { kind: 'hold', why: verdict.why });
  }
  // A window in which others suffered too says nothing.
  if (before.isHeld) return say({ ...before, isHeld: false, window: null }, { kind: 'hold', why: null });
  if (!rollout.isFull) return say({ ...before, window: null, fullSince: null }, null);
  const state: VersionWindow = { ...before, fullSince: before.fullSince ?? now };
  const { window } = state;
  if (window === null) return say({ ...state, window: { since: now, ms: settings.windowMs } }, null, true);
  const { isEnd, isWidest } = limitsOf(state, settings, now);
  if (!isEnd || mine.some((node) => !node.away && !isWell(node))) return say(state, null);
  if (verdict.kind === 'pass') return say(state, { kind: 'pass', proven: true });
  if (isWidest) return say(state, { kind: 'pass', proven: false });
  const ms = Math.min(2 * window.ms, WIDEST * settings.windowMs);
  return say({ ...state, window: { since: window.since, ms } }, null);
}

/** What is wrong with a node of the phase, so that the version is. That one does not get well, the framework sees. */
function faultOf(
  { window }: VersionWindow,
  { changed }: JudgedRollout,
  mine: readonly NodeFact[],
  { stepTimeoutMs }: VersionSettings,
  now: number,
): string | null {
  const done = new Set<string>(changed);
  const isLate = window !== null && now - window.since >= window.ms + stepTimeoutMs;
  for (const node of mine) {
    if (node.away) continue;
    if (typeof node.probe === 'object') return `${node.name} does not answer with it: ${node.probe.failed}`;
    if (isLate && done.has(node.agentId) && !isWell(node)) return `${node.name} did not stay healthy with it`;
  }
  return null;
}

const isWell = ({ healthy, probe }: NodeFact): boolean => healthy && probe === 'ok';
