/** The documents that the embedded cluster shows: what `--json` prints and `/local/*` answers. */

import type { Range } from '../framework/mesos-http-client/messages.ts';

export interface LocalNode {
  readonly agentId: string;
  readonly hostname: string;
  readonly ip: string;
  readonly public: boolean;
  /** The outgoing router. */
  readonly http: string;
  readonly admin: string;
  /** The edge router, of public nodes. */
  readonly edge?: string;
}

/** The one line of `--json`. */
export interface ReadyDocument {
  readonly ready: true;
  readonly mesos: string;
  readonly marathon: string;
  readonly scheduler: string | null;
  readonly nodes: readonly LocalNode[];
}

export interface LocalProcess {
  readonly role: 'scheduler' | 'proxy' | 'task';
  readonly pid: number;
  readonly agentId: string | null;
  readonly taskId: string | null;
  readonly appId: string | null;
  readonly startedAt: string;
}

/** The way between the scheduler and the proxy of an agent. */
export interface LocalLink {
  readonly agentId: string;
  readonly mode: string;
  /** Deltas that were lost, doubled or late so far. */
  readonly hit: number;
}

export interface AgentRequest {
  readonly public?: boolean | undefined;
  readonly ip?: string | undefined;
  readonly cpus?: number | undefined;
  readonly mem?: number | undefined;
  /** All ports that it offers, those for a proxy included. */
  readonly ports?: readonly Range[] | undefined;
  /** Its fault domain; both or none. */
  readonly region?: string | undefined;
  readonly zone?: string | undefined;
  readonly attributes?: Readonly<Record<string, string>> | undefined;
}

/** What a master that is started again answers, one after the other, before it leads. */
export interface FailoverRequest {
  /** Redirects to itself: its node of before is still in ZooKeeper. */
  readonly redirectMs: number;
  /** 503, `Master has not finished recovery`. */
  readonly recoveryMs: number;
}

/** A change of the cluster that cannot be made: whose fault it is, as an HTTP status, and what to do in one sentence. */
export class ChangeRefused extends Error {
  readonly status: 400 | 409;

  constructor(status: 400 | 409, message: string) {
    super(message);
    this.name = 'ChangeRefused';
    this.status = status;
  }
}
