/**
 * The end of a service: when nothing of it is left at Mesos, its state goes too, and only then is it said to be uninstalled. Who
 * asks (Cosmos) deletes the app at that word, and nobody would be there to take away what is left.
 */
import type { PhaseView, PlanStatus, PlanView, StateStore } from '../framework/index.ts';

/** The framework's last phase; a plan that has it is that of an uninstall. */
const DEREGISTERED = 'deregister-service';

export interface ErasureOptions {
  readonly store: Pick<StateStore, 'clear'>;
  readonly logger: { info(fields: object, message: string): void };
  /** The state cannot be taken away. Whoever starts again goes on with it. */
  failed(error: Error): void;
}

export class Erasure {
  readonly #options: ErasureOptions;
  #clearing: Promise<void> | null = null;
  #isDone = false;

  constructor(options: ErasureOptions) {
    this.#options = options;
  }

  /** True once there is nothing in the store. */
  get isDone(): boolean {
    return this.#isDone;
  }

  begin(): void {
    this.#clearing ??= this.#options.store.clear().then(
      () => {
        this.#isDone = true;
        this.#options.logger.info({}, 'the state store is empty; this scheduler can be removed');
      },
      (error: unknown) => this.#options.failed(error instanceof Error ? error : new Error(String(error))),
    );
  }

  /** For the end of the process, when no other part writes any more. Resolves when what was begun is over. */
  async finish(): Promise<void> {
    await this.#clearing;
    // A request may have been written down since.
    if (this.#isDone) await this.#options.store.clear();
  }

  /** An uninstall has one phase more. Any other plan is as it is. */
  shown(plan: PlanView): PlanView {
    if (!plan.phases.some(({ id }) => id === DEREGISTERED)) return plan;
    const status: PlanStatus = this.#isDone ? 'COMPLETE' : plan.status === 'COMPLETE' ? 'IN_PROGRESS' : 'PENDING';
    const message = this.#isDone ? 'the state is empty' : 'emptied when the framework is removed';
    const erased: PhaseView = {
      ...{ id: 'erase-state', name: 'erase-state', strategy: 'serial', status },
      steps: [{ id: 'state', name: 'state', status, message }],
    };
    const isOver = plan.status === 'COMPLETE' && !this.#isDone;
    return { ...plan, phases: [...plan.phases, erased], status: isOver ? 'IN_PROGRESS' : plan.status };
  }
}
