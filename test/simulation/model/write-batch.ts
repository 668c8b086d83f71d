/** The writes of one step, on their way to the store together: all of them may get there, or, when the writer dies, some. */
import type { Action } from '../../../framework/daemonset/events.ts';
import { agentKey, FRAMEWORK_KEY, ROLLOUT_KEY } from '../../../framework/state/records.ts';
import type { Context } from '../context.ts';
import type { Store } from './store.ts';

const RETRY_MS = 1_000;
const MOST_RETRIES = 10;

export function isWrite(action: Action | undefined): boolean {
  switch (action?.type) {
    case 'persist-framework':
    case 'persist-rollout':
    case 'persist':
    case 'forget':
      return true;
    default:
      return false;
  }
}

export class WriteBatch {
  readonly #context: Context;
  readonly #store: Store;
  readonly #versions: Map<string, number>;
  readonly #actions: readonly Action[];
  #isOver = false;

  constructor(context: Context, store: Store, versions: Map<string, number>, actions: readonly Action[]) {
    this.#context = context;
    this.#store = store;
    this.#versions = versions;
    this.#actions = actions;
  }

  /** `done` with null, or with why the process cannot go on. */
  begin(done: (failure: string | null) => void): void {
    const { clock, rng } = this.#context;
    clock.after(rng.between(1, 15), () => this.#arrive(0, done));
  }

  /** The writer is dead: each write got there before, or never does. */
  tear(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    if (this.#store.isDown) return;
    let torn = 0;
    for (const action of this.#actions) {
      if (this.#context.rng.chance(0.5)) this.#put(action);
      else torn += 1;
    }
    if (torn > 0 && torn < this.#actions.length) this.#context.tally.count('network', 'writes of a step torn apart');
  }

  #arrive(retries: number, done: (failure: string | null) => void): void {
    if (this.#isOver) return;
    const { clock, faulty, rng } = this.#context;
    if (this.#store.isDown) {
      this.#context.tally.count('network', 'write waits for the store');
      if (retries >= MOST_RETRIES) return this.#finish(done, 'the state store does not answer');
      clock.after(RETRY_MS, () => this.#arrive(retries + 1, done));
      return;
    }
    const lost = faulty && rng.chance(0.001);
    for (const action of this.#actions) {
      if (!this.#put(action)) return this.#finish(done, 'another scheduler wrote the state');
    }
    if (lost) this.#context.fault('answer of a write lost', '');
    this.#finish(done, lost ? 'the answer of a write was lost' : null);
  }

  #finish(done: (failure: string | null) => void, failure: string | null): void {
    this.#isOver = true;
    done(failure);
  }

  #put(action: Action): boolean {
    const [store, versions] = [this.#store, this.#versions];
    switch (action.type) {
      case 'persist-framework':
        return store.write(FRAMEWORK_KEY, action.record, versions);
      case 'persist-rollout':
        return store.write(ROLLOUT_KEY, action.record, versions);
      case 'persist':
        return store.write(agentKey(action.record.agentId), action.record, versions);
      case 'forget':
        return store.write(agentKey(action.agentId), undefined, versions);
      default:
        return true;
    }
  }
}
