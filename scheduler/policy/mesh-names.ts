/**
 * Names as the proxies see them: a table that follows the feed, and the same namers over it. It is made when somebody asks
 * for the first time; until then it costs nothing.
 */
import type { Activity, ActivityState } from '../../agent-proxy/routing/activity.ts';
import { Interpreter } from '../../agent-proxy/routing/binding.ts';
import { type Dtab, EMPTY_DTAB } from '../../agent-proxy/routing/dtab.ts';
import { evaluateName, type Outcome } from '../../agent-proxy/routing/evaluation.ts';
import type { NameTree } from '../../agent-proxy/routing/name-tree.ts';
import type { Namer, NamerLeaf } from '../../agent-proxy/routing/names.ts';
import type { Path } from '../../agent-proxy/routing/path.ts';
import { ServiceTable, type TableFrame } from '../../agent-proxy/routing/service-table.ts';
import { ambiguousNames } from '../../agent-proxy/routing/table-names/ambiguous-names.ts';
import type { AmbiguousName } from '../../agent-proxy/routing/table-names/name-claims.ts';
import type { Inet } from '../../agent-proxy/routing/utility-namers.ts';

export interface MeshNamesOptions {
  /** The whole table in records, as proxies get it. */
  snapshot(): readonly Buffer[];
  readonly inet: Inet;
  /** Those that answer from a table. */
  namersOf(table: ServiceTable): readonly Namer[];
}

export class MeshNames {
  readonly #options: MeshNamesOptions;
  readonly #table = new ServiceTable();
  #namers: readonly Namer[] | null = null;
  /** The table is whole: before, every name is pending. */
  #isOpen = false;

  constructor(options: MeshNamesOptions) {
    this.#options = options;
  }

  /** Discovery has told everything. */
  open(): void {
    if (this.#isOpen) return;
    this.#isOpen = true;
    if (this.#namers !== null) this.#fill();
  }

  /** Deltas, as proxies get them. */
  follow(deltas: readonly Buffer[]): void {
    if (this.#namers !== null && this.#isOpen) this.#apply(deltas);
  }

  /** Binds names under a dtab that changes. */
  interpreter(dtab: Activity<Dtab>): Interpreter {
    // Whoever may ask this API sees every address anyway, and nothing is sent anywhere.
    return new Interpreter({ namers: this.#ready(), inet: this.#options.inet, dtab, localMayNameAddresses: true });
  }

  /** What a name is bound to now. */
  bind(dtab: Dtab, name: Path): Outcome {
    const namers = this.#ready();
    const rules = { base: [dtab], local: EMPTY_DTAB, namers, inet: this.#options.inet, localMayNameAddresses: true };
    return evaluateName(rules, name, readNow);
  }

  /** Names of services, as the table has them. */
  services(): string[] {
    this.#ready();
    return [...this.#table.services()].map(({ name }) => name);
  }

  /** Names that several apps claim. */
  ambiguous(): AmbiguousName[] {
    this.#ready();
    return ambiguousNames(this.#table);
  }

  /** Hears of each change of the table. Returns how to stop. */
  onChange(listener: () => void): () => void {
    return this.#table.onChange(listener);
  }

  #ready(): readonly Namer[] {
    if (this.#namers === null) {
      this.#namers = this.#options.namersOf(this.#table);
      if (this.#isOpen) this.#fill();
    }
    return this.#namers;
  }

  #fill(): void {
    this.#apply(this.#options.snapshot());
  }

  #apply(records: readonly Buffer[]): void {
    for (const record of records) {
      const applied = this.#table.apply(frameIn(record));
      if (applied.kind === 'gap')
        throw new Error(`the scheduler's own table does not follow its feed: ${applied.reason}`);
    }
  }
}

/** A record that this process has made: `<decimal byte length>\n<json>`. */
function frameIn(record: Buffer): TableFrame {
  return JSON.parse(record.toString('utf8', record.indexOf('\n') + 1)) as TableFrame;
}

function readNow(namer: Namer, rest: Path): ActivityState<NameTree<NamerLeaf>> {
  return namer.lookup(rest).state;
}
