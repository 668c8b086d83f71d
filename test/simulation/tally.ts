/** How often each thing happened, over one seed or many. */
export type Kind =
  | 'fault'
  | 'order'
  | 'judgement'
  | 'event'
  | 'action'
  | 'call'
  | 'task phase'
  | 'rollout'
  | 'rollout step'
  | 'network';

export class Tally {
  readonly #counts = new Map<Kind, Map<string, number>>();

  count(kind: Kind, name: string, times = 1): void {
    let names = this.#counts.get(kind);
    if (names === undefined) {
      names = new Map();
      this.#counts.set(kind, names);
    }
    names.set(name, (names.get(name) ?? 0) + times);
  }

  of(kind: Kind, name: string): number {
    return this.#counts.get(kind)?.get(name) ?? 0;
  }

  /** How many different ones of a kind there were. */
  kinds(kind: Kind): number {
    return this.#counts.get(kind)?.size ?? 0;
  }

  add(other: Tally): void {
    for (const [kind, names] of other.#counts) for (const [name, times] of names) this.count(kind, name, times);
  }

  /** Those of `expected` that never happened. */
  missing(expected: Readonly<Record<Kind, readonly string[]>>): string[] {
    return [...entries(expected)].flatMap(([kind, names]) =>
      names.filter((name) => this.of(kind, name) === 0).map((name) => `${kind}: ${name}`),
    );
  }

  /** A line for each kind and name, the expected ones first, and what was not expected after them. */
  table(expected: Readonly<Record<Kind, readonly string[]>>): string {
    const lines: string[] = [];
    for (const [kind, names] of entries(expected)) {
      const others = [...(this.#counts.get(kind)?.keys() ?? [])].filter((name) => !names.includes(name)).sort();
      for (const name of [...names, ...others]) {
        lines.push(`${kind.padEnd(13)} ${name.padEnd(40)} ${String(this.of(kind, name)).padStart(9)}`);
      }
    }
    return lines.join('\n');
  }
}

function* entries(expected: Readonly<Record<Kind, readonly string[]>>): Generator<[Kind, readonly string[]]> {
  for (const kind of KINDS) yield [kind, expected[kind]];
}

const KINDS: readonly Kind[] = [
  'fault',
  'order',
  'judgement',
  'network',
  'event',
  'action',
  'call',
  'task phase',
  'rollout',
  'rollout step',
];
