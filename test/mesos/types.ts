/** What the parts of the stories share. */
import type { ProxyPorts } from '../../scheduler/config.ts';

export interface Options {
  readonly master: string;
  readonly ports: Omit<ProxyPorts, 'edge'> | null;
  readonly agents: number | null;
  readonly archive: string | null;
  readonly commands: {
    readonly agentStop: string | null;
    readonly agentStart: string | null;
    readonly masterKill: string | null;
    readonly proxyKill: string | null;
  };
  readonly listenIp: string | null;
  /** Names; null: all. */
  readonly stories: readonly string[] | null;
  readonly patienceMs: number;
  /** More options for the scheduler. */
  readonly words: readonly string[];
  readonly verbose: boolean;
}

/** How a story ended. */
export interface Outcome {
  readonly name: string;
  readonly result: 'passed' | 'failed' | 'skipped';
  readonly seconds: number;
  /** Why it failed or was skipped. */
  readonly reason?: string;
}

/** A story that cannot be told here. */
export class Skipped extends Error {}

/** What no waiting will change. */
export class Final extends Error {}

/** As `GET /v1/nodes` has it. */
export interface NodeRow {
  readonly agentId: string;
  readonly ip: string;
  readonly state: string;
  readonly reason: string | null;
  readonly taskId: string | null;
  readonly public: boolean;
  readonly goal: string | null;
  readonly running: { readonly version: string; readonly codeSha256: string } | null;
}
