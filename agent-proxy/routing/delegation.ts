/**
 * How a name is rewritten, step by step, for people to read: all that a look-up could lead to, also the branches that
 * are not taken. The rules are those of `evaluation.ts`, without its short cuts.
 */
import type { ActivityState } from './activity.ts';
import { boundJson, type ReadAddresses } from './bound-json.ts';
import type { DelegateBound, DelegateNode, DelegatePlace } from './delegate-node.ts';
import { type Dentry, matchesPrefix } from './dentry.ts';
import { dentryToJson } from './dtab.ts';
import { evaluateName, type NameRules, type Outcome, type ReadNamer } from './evaluation.ts';
import type { NameTree } from './name-tree.ts';
import type { BoundName, NamerLeaf } from './names.ts';
import { type Path, showPath, startsWith } from './path.ts';
import { type Transformer, transformBound } from './transformers.ts';
import { lookupUtility } from './utility-namers.ts';

/** As in a binding: more rewrites in a row are taken for a circle. */
const MAX_DEPTH = 100;
/** A tree that a person reads. Beyond, branches end in an exception node. */
const MAX_NODES = 2_000;
const TOO_MANY_NODES = `the tree has more than ${MAX_NODES} nodes; the rest is left out`;

export interface DelegationOptions {
  readonly readNamer: ReadNamer;
  readonly readAddresses: ReadAddresses;
  readonly transformers: readonly Transformer[];
}

/** The whole tree for a name; pending while a namer or an address set is. */
export function delegateName(rules: NameRules, name: Path, options: DelegationOptions): ActivityState<DelegateNode> {
  return new Delegation(rules, options).run(name);
}

/** A path on its way: see `evaluation.ts` for `trusted`. */
interface Step {
  readonly path: Path;
  readonly depth: number;
  readonly trusted: number;
  /** The dentry that led here. */
  readonly dentry: Dentry | null;
}

interface Match {
  readonly dentry: Dentry;
  readonly isLocal: boolean;
}

class Delegation {
  private readonly rules: NameRules;
  private readonly options: DelegationOptions;
  private nodes = 0;
  private isPending = false;

  constructor(rules: NameRules, options: DelegationOptions) {
    this.rules = rules;
    this.options = options;
  }

  run(path: Path): ActivityState<DelegateNode> {
    const value = this.lookup({ path, depth: 0, trusted: Number.POSITIVE_INFINITY, dentry: null });
    return this.isPending ? { kind: 'pending' } : { kind: 'ok', value };
  }

  private lookup(step: Step): DelegateNode {
    this.nodes += 1;
    const place = placeOf(step);
    if (this.nodes > MAX_NODES) return { type: 'exception', ...place, message: TOO_MANY_NODES };
    if (step.depth > MAX_DEPTH) {
      return { type: 'exception', ...place, message: `Max recursion level: ${MAX_DEPTH} reached in Namer lookup` };
    }
    const matches = this.matches(step.path);
    const [first, second] = matches;
    if (first === undefined) return this.askNamers(step);
    if (second === undefined) {
      const isNamers = step.path[0] === '#' || step.path[0] === '$';
      return first.dentry.dst.kind === 'neg' && isNamers ? this.askNamers(step) : this.single(first, step);
    }
    return { type: 'alt', ...place, alt: matches.map((match) => this.destination(match.dentry.dst, match, step)) };
  }

  /** All dentries that match, the last first. */
  private matches(path: Path): Match[] {
    const { base, local } = this.rules;
    const matches: Match[] = [];
    for (const dtab of [...base, local]) {
      for (const dentry of dtab) {
        if (matchesPrefix(dentry.prefix, path)) matches.push({ dentry, isLocal: dtab === local });
      }
    }
    return matches.reverse();
  }

  /** The one dentry that matches: its alternatives or shares are those of the path itself. */
  private single(match: Match, step: Step): DelegateNode {
    const place = placeOf(step);
    const { dst } = match.dentry;
    if (dst.kind === 'alt' || dst.kind === 'union') return this.destination(dst, match, step, place);
    return { type: 'delegate', ...place, delegate: this.destination(dst, match, step) };
  }

  /** `place` is where alternatives or shares stand. */
  private destination(tree: NameTree<Path>, match: Match, step: Step, place?: DelegatePlace): DelegateNode {
    this.nodes += 1;
    if (this.nodes > MAX_NODES) return { type: 'exception', ...placeOf(step), message: TOO_MANY_NODES };
    const { prefix } = match.dentry;
    const dentry = dentryToJson(match.dentry);
    const here = place ?? { path: showPath(step.path), dentry };
    switch (tree.kind) {
      case 'leaf': {
        const path = tree.value.concat(step.path.slice(prefix.length));
        const left = Math.max(0, step.trusted - prefix.length);
        const trusted = match.isLocal ? 0 : tree.value.length + left;
        return this.lookup({ path, depth: step.depth + 1, trusted, dentry: match.dentry });
      }
      case 'alt': {
        const alt = tree.trees.map((child) => this.destination(child, match, step));
        return { type: 'alt', ...here, alt };
      }
      case 'union': {
        const union = tree.branches.map((branch) => {
          return { weight: branch.weight, tree: this.destination(branch.tree, match, step) };
        });
        return { type: 'union', ...here, union };
      }
      case 'neg':
        return { type: 'neg', path: '~', dentry };
      case 'fail':
        return { type: 'fail', path: '!', dentry };
      case 'empty':
        return { type: 'empty', path: '$', dentry };
    }
  }

  private askNamers(step: Step): DelegateNode {
    const { path, trusted } = step;
    if (path[0] === '$') {
      const allowed = this.rules.localMayNameAddresses ? Number.POSITIVE_INFINITY : trusted;
      return this.answered(lookupUtility(path, this.rules.inet, allowed), step);
    }
    const below = path.slice(1);
    const namers = path[0] === '#' ? this.rules.namers.filter(({ prefix }) => startsWith(below, prefix)) : [];
    for (const namer of namers.toReversed()) {
      const state = this.options.readNamer(namer, below.slice(namer.prefix.length));
      if (state.kind !== 'ok' || state.value.kind !== 'neg') return this.answered(state, step);
    }
    return { type: 'neg', ...placeOf(step) };
  }

  private answered(state: ActivityState<NameTree<NamerLeaf>>, step: Step): DelegateNode {
    return state.kind === 'ok' ? this.answer(state.value, step) : this.noAnswer(state, step);
  }

  private answer(tree: NameTree<NamerLeaf>, step: Step): DelegateNode {
    const place = placeOf(step);
    switch (tree.kind) {
      case 'leaf': {
        if (tree.value.kind === 'bound') return this.bound(tree.value.bound, step);
        const { path } = tree.value;
        const trusted = step.trusted >= step.path.length ? Number.POSITIVE_INFINITY : 0;
        const delegate = this.lookup({ path, depth: step.depth + 1, trusted, dentry: null });
        return { type: 'delegate', ...place, delegate };
      }
      case 'alt':
        return { type: 'alt', ...place, alt: tree.trees.map((child) => this.answer(child, step)) };
      case 'union': {
        const union = tree.branches.map(({ weight, tree: child }) => ({ weight, tree: this.answer(child, step) }));
        return { type: 'union', ...place, union };
      }
      case 'neg':
      case 'fail':
      case 'empty':
        return { type: tree.kind, ...place };
    }
  }

  /** A bound name, and what each transformer makes of it. */
  private bound(bound: BoundName, step: Step, from = 0): DelegateNode {
    const transformer = this.options.transformers[from];
    const place = placeOf(step);
    if (transformer === undefined) return { type: 'leaf', ...place, bound: this.showBound(bound) };
    const name = transformer.prefix[1] ?? '';
    if (transformer.kind === 'addresses') {
      const tree = this.bound(transformBound(bound, transformer), step, from + 1);
      return { type: 'transformation', ...place, name, bound: this.showBound(bound), tree };
    }
    const tree = this.replaced(transformer.prefix, transformer.path, step, from + 1);
    return { type: 'transformation', ...place, name, bound: this.showBound(bound), tree };
  }

  /** What the path of a `replace` or `const` is bound to, and what the transformers from `from` on make of that. */
  private replaced(prefix: Path, path: Path, step: Step, from: number): DelegateNode {
    // Configuration's own path: what came with the request has no say in it.
    const outcome = evaluateName({ ...this.rules, local: [] }, path, this.options.readNamer);
    return this.replacement(outcome, prefix, { ...step, path, dentry: null }, from);
  }

  private replacement(outcome: Outcome, prefix: Path, step: Step, from: number): DelegateNode {
    if (outcome.kind !== 'ok') return this.noAnswer(outcome, step);
    const { value } = outcome;
    if (value.kind === 'leaf') return this.bound({ ...value.value, id: [...prefix, ...value.value.id] }, step, from);
    // An evaluated tree has no alternatives.
    if (value.kind !== 'union') return { type: value.kind === 'alt' ? 'neg' : value.kind, ...placeOf(step) };
    const union = value.branches.map(({ weight, tree }) => {
      return { weight, tree: this.replacement({ kind: 'ok', value: tree }, prefix, step, from) };
    });
    return { type: 'union', ...placeOf(step), union };
  }

  private noAnswer(state: { kind: 'pending' } | { kind: 'failed'; reason: string }, step: Step): DelegateNode {
    if (state.kind === 'pending') this.isPending = true;
    return { type: 'exception', ...placeOf(step), message: state.kind === 'failed' ? state.reason : 'pending' };
  }

  private showBound(bound: BoundName): DelegateBound {
    return boundJson(bound, (addresses) => {
      const state = this.options.readAddresses(addresses);
      if (state.kind === 'pending') this.isPending = true;
      return state;
    });
  }
}

function placeOf({ path, dentry }: Step): DelegatePlace {
  return dentry === null ? { path: showPath(path) } : { path: showPath(path), dentry: dentryToJson(dentry) };
}
