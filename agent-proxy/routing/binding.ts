/**
 * The interpreter within the process: binds names and keeps them bound. A binding is evaluated again when a namer
 * changes its answer to something that this name led to, and at no other time: endpoints that come and go within an
 * address set are between that set and the balancer.
 */
import { type Activity, type ActivityState, constant } from './activity.ts';
import type { DelegateNode } from './delegate-node.ts';
import { delegateName } from './delegation.ts';
import { type Dtab, EMPTY_DTAB } from './dentry.ts';
import { type BoundTree, evaluateName, type NameRules, type Outcome } from './evaluation.ts';
import { type NameTree, treesEqual } from './name-tree.ts';
import type { AddressSet, AddressState, BoundName, Namer, NamerLeaf } from './names.ts';
import { type Path, pathsEqual, showPath } from './path.ts';
import { Recomputed, type Watch } from './recomputed.ts';
import { type Transformer, transformOutcome } from './transformers.ts';
import type { Inet } from './utility-namers.ts';
import { WatchedAddresses } from './watched-addresses.ts';

export interface InterpreterOptions {
  /** The ones configured later are asked first. */
  readonly namers: readonly Namer[];
  readonly inet: Inet;
  /** The interpreter's own dtab (of a file, of a namespace), which the request's overrides. */
  readonly dtab?: Activity<Dtab>;
  /** Whether that dtab overrides the router's; false by default: the router's overrides it. */
  readonly dtabIsOver?: boolean;
  /** Applied one after the other to what a name was bound to. */
  readonly transformers?: readonly Transformer[];
  /** Whether a per-request dtab may name addresses (`/$/inet`). False by default: it would open the network. */
  readonly localMayNameAddresses?: boolean;
}

export class Interpreter {
  private readonly options: Required<InterpreterOptions>;

  constructor(options: InterpreterOptions) {
    const defaults = { dtab: constant(EMPTY_DTAB), transformers: [], localMayNameAddresses: false, dtabIsOver: false };
    this.options = { ...defaults, ...options };
  }

  /**
   * The name's evaluated tree, kept up to date while it is observed. Where no namer has to be waited for, the state
   * right after `observe` is the answer.
   */
  bind(base: Dtab, local: Dtab, name: Path): Activity<BoundTree> {
    const questions = new Questions(this.options.namers);
    return new Recomputed((watch) => this.evaluate(base, local, name, questions, watch), sameTree);
  }

  /**
   * How the name is rewritten step by step, for people to read. Pending until nothing that it leads to is pending.
   */
  delegate(base: Dtab, local: Dtab, name: Path): Activity<DelegateNode> {
    const questions = new Questions(this.options.namers);
    const addresses = new WatchedAddresses();
    const compute = (watch: Watch): ActivityState<DelegateNode> => {
      const dtab = watch(this.options.dtab);
      if (dtab.kind !== 'ok') return dtab;
      const readNamer = questions.begin(watch);
      const readAddresses = (set: AddressSet): AddressState => addresses.read(watch, set);
      const { transformers } = this.options;
      return delegateName(this.rules(dtab.value, base, local), name, { readNamer, readAddresses, transformers });
    };
    return new Recomputed(compute, () => false);
  }

  private evaluate(base: Dtab, local: Dtab, name: Path, questions: Questions, watch: Watch): Outcome {
    const dtab = watch(this.options.dtab);
    if (dtab.kind !== 'ok') return dtab;
    const rules = this.rules(dtab.value, base, local);
    const read = questions.begin(watch);
    const outcome = evaluateName(rules, name, read);
    const { transformers } = this.options;
    if (transformers.length === 0) return outcome;
    // The paths of transformers are configuration: what came with the request has no say in them.
    const configured = { ...rules, local: EMPTY_DTAB };
    return transformOutcome(outcome, transformers, (path) => evaluateName(configured, path, read));
  }

  private rules(own: Dtab, router: Dtab, local: Dtab): NameRules {
    const { namers, inet, localMayNameAddresses, dtabIsOver } = this.options;
    const base = dtabIsOver ? [router, own] : [own, router];
    return { base, local, namers, inet, localMayNameAddresses };
  }
}

const NONE: ReadonlyMap<string, Activity<NameTree<NamerLeaf>>> = new Map();

/** What one binding has asked namers: the same question is asked once, for as long as each evaluation has it. */
class Questions {
  private readonly namers: readonly Namer[];
  private before: ReadonlyMap<string, Activity<NameTree<NamerLeaf>>> = NONE;
  private now: ReadonlyMap<string, Activity<NameTree<NamerLeaf>>> = NONE;

  constructor(namers: readonly Namer[]) {
    this.namers = namers;
  }

  begin(watch: Watch): (namer: Namer, rest: Path) => ActivityState<NameTree<NamerLeaf>> {
    this.before = this.now;
    const now = new Map<string, Activity<NameTree<NamerLeaf>>>();
    this.now = now;
    return (namer, rest) => {
      const key = `${this.namers.indexOf(namer)}${showPath(rest)}`;
      const activity = now.get(key) ?? this.before.get(key) ?? namer.lookup(rest);
      now.set(key, activity);
      return watch(activity);
    };
  }
}

function sameTree(a: BoundTree, b: BoundTree): boolean {
  return treesEqual(a, b, sameBound);
}

function sameBound(a: BoundName, b: BoundName): boolean {
  return a.addresses === b.addresses && pathsEqual(a.id, b.id) && pathsEqual(a.residual, b.residual);
}
