/**
 * The agent's place with the leading master: registers with each new leader, tries again while there is no answer, and
 * can be taken off the network and put back.
 */
import type { AgentId } from '../../framework/mesos-http-client/messages.ts';
import type { MasterEndpoint } from '../agent-link.ts';
import type { LeaderDetector } from '../scheduler-link.ts';
import type { Backoff } from './agent-options.ts';

type State =
  /** Off the network: not started, cut, or rebooting. */
  | { readonly kind: 'down' }
  /** On the network, but nobody leads. */
  | { readonly kind: 'leaderless' }
  /** Asked the leader, no answer yet. */
  | { readonly kind: 'registering'; readonly master: MasterEndpoint; readonly timer: NodeJS.Timeout }
  /** The leader knows us. */
  | { readonly kind: 'registered'; readonly master: MasterEndpoint }
  /** For ever. */
  | { readonly kind: 'closed' };

const DEFAULT_RETRY: Backoff = { firstMs: 1_000, maxMs: 60_000 };

export interface RegistrationOptions {
  readonly leader: LeaderDetector<MasterEndpoint>;
  readonly retry?: Backoff | undefined;
  /** Says to this master who we are and what we hold. It may answer at once. */
  readonly introduce: (master: MasterEndpoint) => void;
}

export class Registration {
  private readonly options: RegistrationOptions;
  private state: State = { kind: 'down' };
  private unwatch: (() => void) | null = null;

  constructor(options: RegistrationOptions) {
    this.options = options;
  }

  /** Joins the network; from here on the agent follows the leader. */
  up(): void {
    if (this.state.kind !== 'down') return;
    this.state = { kind: 'leaderless' };
    this.unwatch = this.options.leader.watch((leader) => this.follow(leader));
  }

  /** Leaves the network: the master that knew us sees the connection break. */
  down(agentId: AgentId | null): void {
    if (this.state.kind === 'closed' || this.state.kind === 'down') return;
    const master = this.leave({ kind: 'down' });
    if (master !== null && agentId !== null) master.disconnected(agentId);
  }

  /** Leaves for ever, without a word. */
  close(): void {
    this.leave({ kind: 'closed' });
  }

  /** The answer of the master. */
  confirmed(): void {
    if (this.state.kind !== 'registering') return;
    clearTimeout(this.state.timer);
    this.state = { kind: 'registered', master: this.state.master };
  }

  /** The master that knows us, or null. */
  master(): MasterEndpoint | null {
    return this.state.kind === 'registered' ? this.state.master : null;
  }

  /** Whether a message of a master can reach us. */
  reachable(): boolean {
    return this.state.kind === 'registering' || this.state.kind === 'registered';
  }

  private follow(leader: MasterEndpoint | null): void {
    if (this.state.kind === 'down' || this.state.kind === 'closed') return;
    if (this.state.kind === 'registering') clearTimeout(this.state.timer);
    if (leader === null) this.state = { kind: 'leaderless' };
    else this.register(leader, (this.options.retry ?? DEFAULT_RETRY).firstMs);
  }

  private register(master: MasterEndpoint, waitMs: number): void {
    const { maxMs } = this.options.retry ?? DEFAULT_RETRY;
    const timer = setTimeout(() => this.register(master, Math.min(waitMs * 2, maxMs)), waitMs);
    this.state = { kind: 'registering', master, timer };
    this.options.introduce(master);
  }

  private leave(next: State): MasterEndpoint | null {
    const { state } = this;
    this.unwatch?.();
    this.unwatch = null;
    if (state.kind === 'registering') clearTimeout(state.timer);
    this.state = next;
    return state.kind === 'registering' || state.kind === 'registered' ? state.master : null;
  }
}
