/** What a framework says of a task that it launches. Source: include/mesos/v1/mesos.proto. */
import type { AgentId, TaskId } from './ids.ts';
import type { Labels, Resource } from './resources.ts';

/** A duration on the wire. */
export interface DurationInfo {
  nanoseconds: number;
}

export interface CommandUri {
  value: string;
  executable?: boolean;
  /** Unpack a known archive after the download (default true). */
  extract?: boolean;
  /** Keep it in the agent's fetcher cache, keyed by URI, never refreshed (default false). */
  cache?: boolean;
  output_file?: string;
}

export interface CommandInfo {
  shell?: boolean;
  value?: string;
  arguments?: string[];
  user?: string;
  uris?: CommandUri[];
  environment?: { variables: { name: string; value: string }[] };
}

/** Exactly one of `http`, `tcp`, `command`, as `type` says. Defaults: delay 15, interval 10, timeout 20, 3 failures, grace 10 (seconds). */
export interface HealthCheck {
  type: 'HTTP' | 'TCP' | 'COMMAND';
  http?: { scheme?: string; port: number; path?: string };
  tcp?: { port: number };
  command?: CommandInfo;
  delay_seconds?: number;
  interval_seconds?: number;
  timeout_seconds?: number;
  consecutive_failures?: number;
  grace_period_seconds?: number;
}

export interface DiscoveryInfo {
  visibility: 'FRAMEWORK' | 'CLUSTER' | 'EXTERNAL';
  name?: string;
  ports?: { ports: { number: number; name?: string; protocol?: string; labels?: Labels }[] };
}

export interface TaskInfo {
  name: string;
  task_id: { value: TaskId };
  agent_id: { value: AgentId };
  resources: Resource[];
  command?: CommandInfo;
  executor?: unknown;
  container?: unknown;
  health_check?: HealthCheck;
  kill_policy?: { grace_period?: DurationInfo };
  labels?: Labels;
  discovery?: DiscoveryInfo;
  /** How far it may go beyond its resources (Mesos 1.10). */
  limits?: { cpus?: { value: number | 'Infinity' }; mem?: { value: number | 'Infinity' } };
}
