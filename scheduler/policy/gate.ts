/**
 * Whether a change did harm, judged by traffic: for each service and side (outgoing, incoming) each changed node is compared
 * with its own past, less what became worse on nodes that were not changed. Pure.
 *
 * Failures and the proxy's own errors are shares of the requests: a share has become worse where it rose by more than a
 * margin, and by more than chance explains (so many standard errors of the difference). Before the end of the window only a
 * great rise counts, since it is looked for again and again.
 */
import type { Verdict } from './config-rollout.ts';
import { type Counts, type Figures, NO_COUNTS, sumOf } from './traffic-history.ts';

export interface JudgedNode {
  /** For people. */
  readonly name: string;
  /** Null where nothing is known: this scheduler has just started. The others' present stands for it then. */
  readonly past: Figures | null;
  readonly now: Figures;
}

export interface GateInput {
  /** Those that the present step has changed. */
  readonly changed: readonly JudgedNode[];
  /** Those that were not, or where there are none those that earlier steps have changed. */
  readonly others: readonly JudgedNode[];
  /** On the changed nodes, in the window. */
  readonly minRequests: number;
  /** The window is over. */
  readonly isEnd: boolean;
  /** It cannot be widened any more. */
  readonly isWidest: boolean;
}

interface Margin {
  /** Of the requests. */
  readonly share: number;
  /** Standard errors of the difference. */
  readonly errors: number;
}

type Kind = 'failures' | 'proxyErrors';

/** Stricter for what the proxy makes itself. */
const MARGINS: Readonly<Record<Kind, { readonly early: Margin; readonly end: Margin }>> = {
  failures: { early: { share: 0.1, errors: 4 }, end: { share: 0.02, errors: 3 } },
  proxyErrors: { early: { share: 0.05, errors: 3.5 }, end: { share: 0.005, errors: 2.5 } },
};
const WORDS: Readonly<Record<Kind, string>> = {
  failures: 'failed',
  proxyErrors: 'failed by errors of the proxy itself',
};
/** Fewer requests say nothing of a service on a node. */
const LEAST_REQUESTS = 5;
/** Fewer failures are chance. */
const LEAST_FAILURES = 3;
/** So many requests have to be missing, in standard deviations of what was expected, and half of it. */
const MISSING_DEVIATIONS = 4;
/**
 * Requests on connections that were open before a change go on to the workers before it for up to 5 s, which nobody hears
 * of. In a shorter window a fall may be no more than that, so that it is widened first.
 */
const BELIEVED_MS = 10_000;
/** Where others had fewer, their rate says nothing. */
const LEAST_FOR_RATE = 20;

interface Service {
  /** `outgoing web`. */
  readonly key: string;
  readonly past: Counts | null;
  readonly now: Counts;
}

export function judgeTraffic({ changed, others, minRequests, isEnd, isWidest }: GateInput): Verdict {
  const control = new Control(others);
  let held: string | null = null;
  let judged = 0;
  let isDoubtful = false;
  for (const node of changed) {
    for (const service of servicesOf(node)) {
      const { now } = service;
      const past = service.past ?? control.now(service.key);
      if (past === null || past.requests === 0) continue;
      judged += now.requests;
      for (const kind of ['proxyErrors', 'failures'] as const) {
        const found = compare(kind, service, past, control, isEnd);
        if (found.kind === 'worse') return { kind: 'fail', why: `${found.why}, on ${node.name}` };
        if (found.kind === 'worse-everywhere') held ??= `${found.why}, and on ${node.name} no better`;
      }
    }
    const missing = isEnd ? missingTraffic(node, control) : null;
    if (missing === null) continue;
    if (isWidest || node.now.coveredMs >= BELIEVED_MS) return { kind: 'fail', why: `${missing}, on ${node.name}` };
    isDoubtful = true;
  }
  if (held !== null) return { kind: 'hold', why: held };
  return { kind: judged >= minRequests && !isDoubtful ? 'pass' : 'few' };
}

function servicesOf({ past, now }: JudgedNode): Service[] {
  return [...now.services].map(([key, counts]) => ({
    key,
    past: past === null ? null : (past.services.get(key) ?? null),
    now: counts,
  }));
}

type Comparison = { readonly kind: 'fine' } | { readonly kind: 'worse' | 'worse-everywhere'; readonly why: string };

function compare(kind: Kind, { key, now }: Service, past: Counts, control: Control, isEnd: boolean): Comparison {
  if (now.requests < LEAST_REQUESTS || now[kind] < LEAST_FAILURES) return { kind: 'fine' };
  const margin = MARGINS[kind][isEnd ? 'end' : 'early'];
  const rise = riseOf(kind, past, now);
  if (rise.by <= margin.share || rise.by <= margin.errors * rise.error) return { kind: 'fine' };
  const elsewhere = control.rise(kind, key);
  const own = Math.max(0, elsewhere.by);
  const excess = rise.by - own;
  const error = Math.hypot(rise.error, own > 0 ? elsewhere.error : 0);
  const figures = `${shown(now, kind)} of ${now.requests} requests ${WORDS[kind]} (${key}; ${shown(past, kind)} before, ${control.shown(kind, key)})`;
  if (excess > margin.share && excess > margin.errors * error) return { kind: 'worse', why: figures };
  const isElsewhere = elsewhere.by > margin.share && elsewhere.by > margin.errors * elsewhere.error;
  return isElsewhere ? { kind: 'worse-everywhere', why: figures } : { kind: 'fine' };
}

interface Rise {
  /** How much the share has risen. */
  readonly by: number;
  /** The standard error of that. */
  readonly error: number;
}

function riseOf(kind: Kind, past: Counts, now: Counts): Rise {
  const variance = varianceOf(past, kind) + varianceOf(now, kind);
  return { by: shareOf(now, kind) - shareOf(past, kind), error: Math.sqrt(variance) };
}

function shareOf(counts: Counts, kind: Kind): number {
  return counts.requests === 0 ? 0 : counts[kind] / counts.requests;
}

/** Of a share, with one success and one failure more than were seen, so that few requests are not taken for certain. */
function varianceOf(counts: Counts, kind: Kind): number {
  const share = (counts[kind] + 1) / (counts.requests + 2);
  return (share * (1 - share)) / (counts.requests + 2);
}

function shown(counts: Counts, kind: Kind): string {
  return `${Number((100 * shareOf(counts, kind)).toFixed(1))}%`;
}

/** Traffic that fell by over half, where it did not elsewhere. */
function missingTraffic({ past, now }: JudgedNode, control: Control): string | null {
  if (past === null || past.coveredMs === 0 || now.coveredMs === 0) return null;
  for (const [key, before] of past.services) {
    const expected = (before.requests / past.coveredMs) * now.coveredMs * control.rateKept(key);
    const { requests } = now.services.get(key) ?? NO_COUNTS;
    if (requests * 2 >= expected || expected - requests <= MISSING_DEVIATIONS * Math.sqrt(expected)) continue;
    return `${requests} requests came where ${Math.round(expected)} were to be expected (${key})`;
  }
  return null;
}

/** The nodes that were not changed, taken together. */
class Control {
  readonly #past: Figures;
  readonly #now: Figures;

  constructor(nodes: readonly JudgedNode[]) {
    // Whose past is not known says nothing of a change.
    const known = nodes.flatMap((node) => (node.past === null ? [] : [{ past: node.past, now: node.now }]));
    this.#past = sumOf(known.map(({ past }) => past));
    this.#now = sumOf((known.length === 0 ? nodes : known).map(({ now }) => now));
  }

  now(key: string): Counts | null {
    return this.#now.services.get(key) ?? null;
  }

  rise(kind: Kind, key: string): Rise {
    const past = this.#past.services.get(key);
    const now = this.#now.services.get(key);
    if (past === undefined || now === undefined || now.requests < LEAST_REQUESTS) return { by: 0, error: 0 };
    return riseOf(kind, past, now);
  }

  shown(kind: Kind, key: string): string {
    const past = this.#past.services.get(key);
    const now = this.#now.services.get(key);
    if (now === undefined) return 'no requests elsewhere';
    return past === undefined
      ? `${shown(now, kind)} elsewhere`
      : `elsewhere ${shown(past, kind)} before and ${shown(now, kind)} now`;
  }

  /** Which part of the requests a second is still there: of the service, else of its side, else all of it. */
  rateKept(key: string): number {
    const side = `${key.split(' ', 1)[0]} `;
    return this.#kept((other) => other === key) ?? this.#kept((other) => other.startsWith(side)) ?? 1;
  }

  #kept(wanted: (key: string) => boolean): number | null {
    const rate = ({ services, coveredMs }: Figures): { requests: number; rate: number } => {
      let requests = 0;
      for (const [key, counts] of services) if (wanted(key)) requests += counts.requests;
      return { requests, rate: coveredMs === 0 ? 0 : requests / coveredMs };
    };
    const past = rate(this.#past);
    if (past.requests < LEAST_FOR_RATE || this.#now.coveredMs === 0) return null;
    return Math.min(1, rate(this.#now).rate / past.rate);
  }
}
