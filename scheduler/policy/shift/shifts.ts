/**
 * Traffic shifts at work: each is a record in the state store, and one rule in namespace `default` that follows it. The record
 * is written first; the rule is made so at once, and again at each look until it is so, so a scheduler that starts anew goes
 * on where the one before was. What a step has answered is counted in memory: after a restart its time begins again.
 */
import type { Report } from '../../../agent-proxy/control/contract.ts';
import { DEFAULT_NAMESPACE } from '../../../agent-proxy/routing/table-names/namespace.ts';
import type { StateStore } from '../../../framework/index.ts';
import type { AuditLog } from '../audit-log.ts';
import type { DtabStore, DtabWrite, WriteOutcome } from '../dtab-store.ts';
import type { MeshNames } from '../mesh-names.ts';
import { addTo, type Counts, judgeShift, noCounts, type Verdict } from './judge.ts';
import { isOver, type Shift, shiftSchema, wantedPercent } from './record.ts';
import { destination, ruleIn, sameDestination, withRule } from './rule.ts';

const PREFIX = 'shifts';
const TICK_MS = 500;
/** Reports tell of the second before. */
const SETTLE_MS = 2_000;
/** Those that are over give way. */
const MAX_SHIFTS = 100;
const SIDES = ['outgoing', 'incoming'] as const;

type Side = (typeof SIDES)[number];

export interface ShiftRequest {
  readonly service: string;
  readonly to: string;
  readonly steps: readonly number[];
  readonly everyMs: number;
  readonly minRequests: number;
  readonly by: string;
}

export type ShiftOutcome =
  | { readonly kind: 'done'; readonly shift: Shift }
  | { readonly kind: 'missing' | 'refused'; readonly why: string };

/** What a shift has to do with the routing policy that it is a part of. */
interface Policy {
  readonly dtabs: DtabStore;
  readonly names: MeshNames;
  readonly audit: AuditLog;
  write(name: string, write: Omit<DtabWrite, 'check'> & { readonly force: boolean }): Promise<WriteOutcome>;
}

export interface ShiftsOptions {
  readonly store: StateStore;
  readonly policy: Policy;
  /** Nothing goes on by itself. */
  frozen(): boolean;
  /** Milliseconds since the epoch. */
  now(): number;
  readonly logger: {
    info(fields: object, message: string): void;
    warn(fields: object, message: string): void;
  };
}

interface Kept {
  shift: Shift;
  /** The state store's; null where it is not there yet, undefined where that is not known. */
  stored: number | null | undefined;
  counted: Readonly<Record<Side, { target: Counts; source: Counts }>>;
  /** Since when it counts: the step's beginning, or that of this process. */
  countedSince: number;
}

export class Shifts {
  readonly #options: ShiftsOptions;
  readonly #kept = new Map<string, Kept>();
  #timer: NodeJS.Timeout | undefined;
  /** One thing at a time. */
  #tail: Promise<unknown> = Promise.resolve();
  #isLooking = false;

  private constructor(options: ShiftsOptions) {
    this.#options = options;
  }

  /** @throws {StateStoreError} */
  static async open(options: ShiftsOptions): Promise<Shifts> {
    const shifts = new Shifts(options);
    for (const key of await options.store.list(PREFIX)) {
      const found = await options.store.get(key);
      const parsed = shiftSchema.safeParse(found?.value);
      if (found === null || !parsed.success) {
        options.logger.warn({ key }, 'a traffic shift in the state store cannot be read, and is left alone');
        continue;
      }
      shifts.#keep(parsed.data, found.version);
    }
    shifts.#timer = setInterval(() => shifts.#tick(), TICK_MS).unref();
    return shifts;
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#tail;
  }

  /** The latest first. */
  list(): Shift[] {
    return [...this.#kept.values()].map(({ shift }) => shift).sort((a, b) => b.startedAt - a.startedAt);
  }

  get(service: string): Shift | undefined {
    return this.#kept.get(service)?.shift;
  }

  /** What the present step has answered, for people. */
  counted(service: string): { requests: number; failures: number } | null {
    const kept = this.#kept.get(service);
    if (kept === undefined || isOver(kept.shift)) return null;
    const { requests, failures } = kept.counted.outgoing.target;
    return { requests, failures };
  }

  reported({ traffic }: Pick<Report, 'traffic'>): void {
    const now = this.#options.now();
    for (const { shift, counted, countedSince } of this.#kept.values()) {
      if (isOver(shift) || now - countedSince < SETTLE_MS) continue;
      for (const counts of traffic) {
        const { target, source } = counted[counts.router];
        if (counts.service === shift.to) addTo(target, counts);
        else if (counts.service === shift.from) addTo(source, counts);
      }
    }
  }

  /** @throws {StateStoreError | VersionConflict} */
  start(request: ShiftRequest): Promise<ShiftOutcome> {
    return this.#inTurn(() => this.#start(request));
  }

  /** @throws {StateStoreError | VersionConflict} */
  command(service: string, verb: 'pause' | 'continue' | 'abort'): Promise<ShiftOutcome> {
    return this.#inTurn(async () => {
      const kept = this.#kept.get(service);
      if (kept === undefined) return { kind: 'missing', why: `there is no shift of ${service}` };
      const { shift } = kept;
      if (isOver(shift)) return { kind: 'refused', why: `the shift of ${service} is over: ${shift.state}` };
      const now = this.#options.now();
      if (verb === 'pause') await this.#write(kept, { ...shift, state: 'paused' });
      else if (verb === 'continue') await this.#write(kept, { ...shift, state: 'running', reason: null });
      else await this.#write(kept, { ...shift, state: 'aborted', since: now, reason: 'ended by an operator' });
      await this.#makeSo(kept);
      return { kind: 'done', shift: kept.shift };
    });
  }

  // ---- steps

  async #start({ service, to, steps, everyMs, minRequests, by }: ShiftRequest): Promise<ShiftOutcome> {
    const refused = (why: string): ShiftOutcome => ({ kind: 'refused', why });
    const before = this.#kept.get(service);
    if (before !== undefined && !isOver(before.shift)) return refused(`a shift of ${service} is at work already`);
    const from = before === undefined ? service : leftAt(before.shift);
    if (to === from) return refused(`requests to ${service} go to ${to} already`);
    if (!this.#binds(to)) return refused(`${to} has no instance that takes requests`);
    const rule = ruleIn(this.#dtab().dtab, service);
    if (!sameDestination(rule, destination({ service, from, to }, 0))) {
      return refused(
        `namespace ${DEFAULT_NAMESPACE.name} has a rule for /marathonId/${service} already: ${rule ?? 'none, where the last shift left one'}`,
      );
    }
    if (before === undefined && !(await this.#makeRoom())) return refused(`there are ${MAX_SHIFTS} shifts at work`);
    const now = this.#options.now();
    const shift: Shift = {
      ...{ service, from, to, steps: [...steps], everyMs, minRequests, by },
      ...{ state: 'running', step: 0, since: now, startedAt: now, unproven: [], baseline: null, made: 0, reason: null },
    };
    const kept = before ?? { shift, stored: null, counted: noneCounted(), countedSince: now };
    await this.#write(kept, shift);
    this.#kept.set(service, kept);
    await this.#makeSo(kept);
    return { kind: 'done', shift: kept.shift };
  }

  /** Looks at each shift, and does what is due. @throws {StateStoreError | VersionConflict} */
  look(): Promise<void> {
    return this.#inTurn(async () => {
      for (const kept of this.#kept.values()) if (!isSettled(kept.shift)) await this.#look(kept);
    });
  }

  #tick(): void {
    if (this.#isLooking) return;
    this.#isLooking = true;
    this.look()
      .catch((error: unknown) => {
        const why = error instanceof Error ? error.message : String(error);
        this.#options.logger.warn({ why }, 'a traffic shift cannot go on now; it is tried again');
      })
      .finally(() => {
        this.#isLooking = false;
      });
  }

  async #look(kept: Kept): Promise<void> {
    await this.#makeSo(kept);
    const { shift } = kept;
    if (isOver(shift)) return;
    if (!this.#binds(shift.to)) return this.#turnBack(kept, `${shift.to} has no instance that takes requests`);
    const waited = this.#options.now() - kept.countedSince;
    const isEnd = waited >= shift.everyMs + SETTLE_MS;
    const verdict = this.#verdict(kept, isEnd);
    if (verdict.kind === 'fail') return this.#turnBack(kept, verdict.why);
    if (!isEnd || shift.state === 'paused' || this.#options.frozen()) return;
    // Too little traffic has twice the time, and passes as unproven then.
    if (verdict.kind === 'few' && waited < 2 * shift.everyMs + SETTLE_MS) return;
    await this.#next(kept, verdict.kind === 'few');
  }

  #verdict({ shift, counted }: Kept, isEnd: boolean): Verdict {
    let few: Verdict = { kind: 'pass' };
    for (const side of SIDES) {
      const { target, source } = counted[side];
      const verdict = judgeShift(
        { name: shift.to, counts: target },
        { name: shift.from, counts: sourceOf(shift, side, source) },
        side === 'outgoing' ? shift.minRequests : 0,
        isEnd,
      );
      if (verdict.kind === 'fail') return verdict;
      if (verdict.kind === 'few') few = verdict;
    }
    return few;
  }

  async #next(kept: Kept, isUnproven: boolean): Promise<void> {
    const { shift } = kept;
    const percent = shift.steps[shift.step] ?? 100;
    const unproven = isUnproven ? [...shift.unproven, percent] : shift.unproven;
    const isLast = shift.step + 1 >= shift.steps.length;
    const baseline = baselineOf(kept);
    const since = this.#options.now();
    const next: Shift = isLast
      ? { ...shift, unproven, baseline, since, state: 'complete', reason: null }
      : { ...shift, unproven, baseline, since, step: shift.step + 1 };
    await this.#write(kept, next);
    this.#options.logger.info(
      { service: shift.service, to: shift.to, percent: wantedPercent(next), unproven: isUnproven },
      isLast ? 'a traffic shift is complete' : 'a traffic shift goes one step on',
    );
    await this.#makeSo(kept);
  }

  async #turnBack(kept: Kept, reason: string): Promise<void> {
    const { shift } = kept;
    this.#options.logger.warn({ service: shift.service, to: shift.to, reason }, 'a traffic shift turns back');
    await this.#write(kept, { ...shift, state: 'turned-back', since: this.#options.now(), reason });
    await this.#makeSo(kept);
  }

  /** Has the namespace say what the record wants, and the record that it does. */
  async #makeSo(kept: Kept): Promise<void> {
    const { shift } = kept;
    const { service } = shift;
    const percent = wantedPercent(shift);
    const wanted = destination(shift, percent);
    const { text, dtab, version } = this.#dtab();
    const rule = ruleIn(dtab, service);
    if (!sameDestination(rule, wanted)) {
      const isOurs = shift.made !== percent && sameDestination(rule, destination(shift, shift.made));
      if (!isOurs) return this.#giveUp(kept);
      const what = `shift of ${service} to ${shift.to}: ${percent} %`;
      const outcome = await this.#options.policy.write(DEFAULT_NAMESPACE.name, {
        text: withRule(text, service, wanted),
        condition: version === null ? { kind: 'absent' } : { kind: 'version', version },
        by: shift.by,
        what,
        // Whether the target binds has been looked at.
        force: true,
      });
      // Somebody was quicker: the next look finds what is there now.
      if (outcome.kind !== 'written') return;
      const { from, version: to } = outcome;
      const target = `dtab ${DEFAULT_NAMESPACE.name}`;
      this.#options.policy.audit.record({ who: `nodemesh, for ${shift.by}`, what, target, from, to, status: null });
    }
    if (shift.made !== percent) await this.#write(kept, { ...kept.shift, made: percent });
  }

  /** The rule says what no shift of ours has written. */
  async #giveUp(kept: Kept): Promise<void> {
    const { shift } = kept;
    const reason = `the rule for /marathonId/${shift.service} was changed by somebody else, and is theirs now`;
    this.#options.logger.warn({ service: shift.service }, reason);
    const made = wantedPercent({ ...shift, state: 'broken' });
    await this.#write(kept, { ...shift, state: 'broken', since: this.#options.now(), made, reason });
  }

  // ---- what it stands on

  #dtab() {
    const { dtabs } = this.#options.policy;
    const namespace = dtabs.get(DEFAULT_NAMESPACE.name);
    if (namespace !== null) return namespace;
    const { state } = dtabs.dtabOf(DEFAULT_NAMESPACE.name);
    return { text: DEFAULT_NAMESPACE.dtab, dtab: state.kind === 'ok' ? state.value : [], version: null };
  }

  /** True also while nothing is known. */
  #binds(service: string): boolean {
    const outcome = this.#options.policy.names.bind([], ['#', 'io.l5d.marathon', ...service.split('/')]);
    return outcome.kind === 'pending' || (outcome.kind === 'ok' && outcome.value.kind === 'leaf');
  }

  #keep(shift: Shift, stored: number): void {
    const countedSince = this.#options.now();
    this.#kept.set(shift.service, { shift, stored, counted: noneCounted(), countedSince });
  }

  async #write(kept: Kept, shift: Shift): Promise<void> {
    const { store } = this.#options;
    const key = keyOf(shift.service);
    if (kept.stored === undefined) kept.stored = (await store.get(key))?.version ?? null;
    const { stored } = kept;
    kept.stored = undefined;
    kept.stored = await store.put(key, shift, stored);
    const isNewStep = kept.shift.step !== shift.step || kept.shift.startedAt !== shift.startedAt;
    kept.shift = shift;
    if (!isNewStep) return;
    kept.counted = noneCounted();
    kept.countedSince = this.#options.now();
  }

  async #makeRoom(): Promise<boolean> {
    if (this.#kept.size < MAX_SHIFTS) return true;
    const over = [...this.#kept.values()].filter(({ shift }) => isOver(shift) && shift.state !== 'complete');
    const [oldest] = over.sort((a, b) => a.shift.since - b.shift.since);
    if (oldest?.stored === undefined || oldest.stored === null) return false;
    await this.#options.store.delete(keyOf(oldest.shift.service), oldest.stored);
    this.#kept.delete(oldest.shift.service);
    return true;
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#tail.then(work);
    this.#tail = turn.catch(() => undefined);
    return await turn;
  }
}

function sourceOf({ baseline, minRequests }: Shift, side: Side, source: Counts): Counts {
  if (baseline === null || source.requests >= minRequests) return source;
  return { ...baseline[side], latency: new Map() };
}

/** What the source has answered in this step, where that is enough to tell; else what it answered before. */
function baselineOf({ shift, counted }: Kept): Shift['baseline'] {
  if (counted.outgoing.source.requests < shift.minRequests) return shift.baseline;
  const short = ({ requests, failures }: Counts) => ({ requests, failures });
  return { outgoing: short(counted.outgoing.source), incoming: short(counted.incoming.source) };
}

/** Where requests go after a shift that is over. */
function leftAt({ state, service, from, to }: Shift): string {
  if (state === 'broken') return service;
  return state === 'complete' ? to : from;
}

/** Nothing is left to do for it. */
function isSettled(shift: Shift): boolean {
  return isOver(shift) && shift.made === wantedPercent(shift);
}

function noneCounted(): Kept['counted'] {
  const none = () => ({ target: noCounts(), source: noCounts() });
  return { outgoing: none(), incoming: none() };
}

/** Ids of Marathon have no underscores. */
const keyOf = (service: string): string => `${PREFIX}/${service.replaceAll('/', '_')}`;
