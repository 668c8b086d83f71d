/**
 * How a name becomes a tree of bound names: the dtab, then the configured namers, then `/$/`, again and again until
 * only bound leaves are left. Pure but for `read`, by which it learns what a namer says now.
 *
 * What it returns is evaluated: no Alt, no Neg or Fail within a Union. An Empty branch of a Union stays and gets its
 * share, as linkerd has it.
 */
import type { ActivityState } from './activity.ts';
import { type Dtab, matchesPrefix } from './dentry.ts';
import { EMPTY, FAIL, leaf, type NameTree, NEG, type Weighted } from './name-tree.ts';
import type { BoundName, Namer, NamerLeaf } from './names.ts';
import { type Path, showPath, startsWith } from './path.ts';
import { type Inet, lookupUtility } from './utility-namers.ts';

/** Finagle's limit: more rewrites in a row are taken for a circle. */
const MAX_DEPTH = 100;
/**
 * Dtabs come from clients too, and a short one can branch without end: an evaluation stops after some milliseconds. A
 * step is a dentry that was compared, a node of a tree that was visited or a segment that was copied.
 */
const MAX_LOOKUPS = 5_000;
const MAX_STEPS = 100_000;
/** So that a long dtab of the configuration, which each look-up goes through, has its share too. */
const STEPS_FOR_BASE_DENTRY = 50;
/** Alternatives and unions within each other, over all rewrites: each is a few frames of the stack. */
const MAX_NESTING = 1_000;

export type BoundTree = NameTree<BoundName>;
export type Outcome = ActivityState<BoundTree>;

export interface NameRules {
  /** What configuration says: the interpreter's own dtab and the router's; the later one overrides the other. */
  readonly base: readonly Dtab[];
  /** What came with the request. It overrides `base`. */
  readonly local: Dtab;
  /** The ones configured later are asked first. */
  readonly namers: readonly Namer[];
  readonly inet: Inet;
  /** Whether `local` may name addresses (`/$/inet`). */
  readonly localMayNameAddresses: boolean;
}

/** What the namer says now about the rest of a path; whoever provides it may remember that it was asked. */
export type ReadNamer = (namer: Namer, rest: Path) => ActivityState<NameTree<NamerLeaf>>;

const BOUND_NEG: Outcome = { kind: 'ok', value: NEG };
const BOUND_FAIL: Outcome = { kind: 'ok', value: FAIL };
const BOUND_EMPTY: Outcome = { kind: 'ok', value: EMPTY };
const PENDING: Outcome = { kind: 'pending' };

export function evaluateName(rules: NameRules, name: Path, read: ReadNamer): Outcome {
  return new Evaluation(rules, name, read).run();
}

/**
 * `trusted` goes with each path on its way: the number of leading segments that a per-request dtab had no part in. It
 * is infinite until a local dentry is applied; then it is 0, since the rest of the path now stands in a place that the
 * client chose. What a base dentry writes in front is trusted again, so `/svc/a => /svc/b` of a client reaches the
 * address that configuration gives to `/svc/b`, but never one that the client has put together.
 */
class Evaluation {
  private readonly rules: NameRules;
  private readonly name: Path;
  private readonly read: ReadNamer;
  private lookups = 0;
  private stepsLeft: number;
  private nesting = 0;
  private exhausted = false;
  private deep: Outcome | null = null;

  constructor(rules: NameRules, name: Path, read: ReadNamer) {
    this.rules = rules;
    this.name = name;
    this.read = read;
    const baseSize = rules.base.reduce((size, dtab) => size + dtab.length, 0);
    this.stepsLeft = MAX_STEPS + STEPS_FOR_BASE_DENTRY * baseSize;
  }

  run(): Outcome {
    const outcome = this.lookup(this.name, 0, Number.POSITIVE_INFINITY);
    if (!this.exhausted) return outcome;
    // Whatever was found until then would depend on the order in which the branches stand.
    const reason = `looking up ${showPath(this.name)} takes more than ${MAX_LOOKUPS} rewrites, or too long ones: the dtab branches in a circle; remove the dentry that leads back to its own prefix`;
    return { kind: 'failed', reason };
  }

  private lookup(path: Path, depth: number, trusted: number): Outcome {
    if (depth > MAX_DEPTH) return this.tooDeep(path);
    this.lookups += 1;
    this.spend(path.length);
    if (this.lookups > MAX_LOOKUPS) this.exhausted = true;
    if (this.exhausted) return PENDING;
    const { local, base } = this.rules;
    let matches = 0;
    let explicitNeg = false;
    for (let section = base.length; section >= 0; section -= 1) {
      const isLocal = section === base.length;
      const dtab = (isLocal ? local : base[section]) ?? [];
      this.spend(dtab.length);
      for (let index = dtab.length - 1; index >= 0; index -= 1) {
        const dentry = dtab[index];
        if (dentry === undefined || !matchesPrefix(dentry.prefix, path)) continue;
        const taken = dentry.prefix.length;
        const suffix = taken === 0 ? path : path.slice(taken);
        const outcome = this.destination(dentry.dst, suffix, depth + 1, isLocal ? -1 : Math.max(0, trusted - taken));
        if (!isNeg(outcome)) return outcome;
        matches += 1;
        explicitNeg = dentry.dst.kind === 'neg';
      }
    }
    // Namers are asked only where the look-up in the dtab is Neg itself, not where what it led to turned out to be Neg.
    return matches === 0 || (matches === 1 && explicitNeg) ? this.askNamers(path, depth, trusted) : BOUND_NEG;
  }

  /** The tree of a dentry; `trustedSuffix` is -1 where the dentry is a local one. */
  private destination(tree: NameTree<Path>, suffix: Path, depth: number, trustedSuffix: number): Outcome {
    return this.combine(tree, (path) => {
      this.spend(path.length + suffix.length);
      const trusted = trustedSuffix < 0 ? 0 : path.length + trustedSuffix;
      return this.lookup(suffix.length === 0 ? path : path.concat(suffix), depth, trusted);
    });
  }

  private askNamers(path: Path, depth: number, trusted: number): Outcome {
    if (path[0] === '$') {
      const allowed = this.rules.localMayNameAddresses ? Number.POSITIVE_INFINITY : trusted;
      return this.rewritten(lookupUtility(path, this.rules.inet, allowed), path, depth, trusted);
    }
    if (path[0] !== '#') return BOUND_NEG;
    const { namers } = this.rules;
    const below = path.slice(1);
    this.spend(namers.length);
    for (let index = namers.length - 1; index >= 0; index -= 1) {
      const namer = namers[index];
      if (namer === undefined || !startsWith(below, namer.prefix)) continue;
      const state = this.read(namer, below.slice(namer.prefix.length));
      if (state.kind === 'ok' && state.value.kind === 'neg') continue;
      return this.rewritten(state, path, depth, trusted);
    }
    return BOUND_NEG;
  }

  /** What a namer made of `path`. If all of that was trusted, so is what it was made into. */
  private rewritten(state: ActivityState<NameTree<NamerLeaf>>, from: Path, depth: number, trusted: number): Outcome {
    if (state.kind !== 'ok') return state;
    const trustedNow = trusted >= from.length ? Number.POSITIVE_INFINITY : 0;
    return this.combine(state.value, (value) =>
      value.kind === 'bound'
        ? { kind: 'ok', value: leaf(value.bound) }
        : this.lookup(value.path, depth + 1, trustedNow),
    );
  }

  private combine<T>(tree: NameTree<T>, atLeaf: (value: T) => Outcome): Outcome {
    this.spend(1);
    switch (tree.kind) {
      case 'leaf':
        return atLeaf(tree.value);
      case 'neg':
        return BOUND_NEG;
      case 'fail':
        return BOUND_FAIL;
      case 'empty':
        return BOUND_EMPTY;
      case 'alt':
      case 'union':
        return this.nested(tree, atLeaf);
    }
  }

  private nested<T>(tree: Extract<NameTree<T>, { kind: 'alt' | 'union' }>, atLeaf: (value: T) => Outcome): Outcome {
    this.nesting += 1;
    if (this.nesting > MAX_NESTING) this.exhausted = true;
    const outcome = tree.kind === 'alt' ? this.firstOf(tree.trees, atLeaf) : this.shareOf(tree.branches, atLeaf);
    this.nesting -= 1;
    return outcome;
  }

  /** The first that is not Neg. One that is pending or failed is not Neg, so nothing behind it is used. */
  private firstOf<T>(trees: readonly NameTree<T>[], atLeaf: (value: T) => Outcome): Outcome {
    for (const tree of trees) {
      if (this.exhausted) return PENDING;
      const outcome = this.combine(tree, atLeaf);
      if (!isNeg(outcome)) return outcome;
    }
    return BOUND_NEG;
  }

  /** What is known is used as soon as one branch is; a failure counts only where no branch is known. */
  private shareOf<T>(branches: readonly Weighted<T>[], atLeaf: (value: T) => Outcome): Outcome {
    const kept: Weighted<BoundName>[] = [];
    let known = branches.length === 0;
    let failure: Outcome | null = null;
    for (const { weight, tree } of branches) {
      if (this.exhausted) return PENDING;
      const outcome = this.combine(tree, atLeaf);
      if (outcome.kind === 'failed') failure ??= outcome;
      if (outcome.kind !== 'ok') continue;
      known = true;
      const { value } = outcome;
      if (value.kind !== 'neg' && value.kind !== 'fail') kept.push({ weight, tree: value });
    }
    if (!known) return failure ?? PENDING;
    const [first] = kept;
    if (first === undefined) return BOUND_NEG;
    return { kind: 'ok', value: kept.length === 1 ? first.tree : { kind: 'union', branches: kept } };
  }

  private spend(steps: number): void {
    this.stepsLeft -= steps;
    if (this.stepsLeft < 0) this.exhausted = true;
  }

  /** One sentence for all branches that are too deep: a dtab that branches in a circle has thousands of them. */
  private tooDeep(path: Path): Outcome {
    this.deep ??= {
      kind: 'failed',
      reason: `Max recursion level: ${MAX_DEPTH} reached in Namer lookup of ${showPath(this.name)}, at ${excerptOf(path)}: a dentry leads back to its own prefix`,
    };
    return this.deep;
  }
}

function isNeg(outcome: Outcome): boolean {
  return outcome.kind === 'ok' && outcome.value.kind === 'neg';
}

function excerptOf(path: Path): string {
  return path.length <= 8 ? showPath(path) : `${showPath(path.slice(0, 8))}/...`;
}
