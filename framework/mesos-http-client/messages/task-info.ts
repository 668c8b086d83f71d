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
  /** The target is the task's loopback address; without `protocol` that of IPv4. */
  http?: { scheme?: string; port: number; path?: string; protocol?: 'IPv4' | 'IPv6' };
  tcp?: { port: number; protocol?: 'IPv4' | 'IPv6' };
  command?: CommandInfo;
  delay_seconds?: number;
  interval_seconds?: number;
  timeout_seconds?: number;
  consecutive_failures?: number;
  grace_period_seconds?: number;
}

/** As a health check, but without a verdict: the result stands in the status' `check_status`. No https. */
export interface CheckInfo {
  type: 'HTTP' | 'TCP' | 'COMMAND';
  http?: { port: number; path?: string };
  tcp?: { port: number };
  command?: { command: CommandInfo };
  delay_seconds?: number;
  interval_seconds?: number;
  timeout_seconds?: number;
}

export interface KillPolicy {
  /** Between SIGTERM and SIGKILL; Mesos' default is 3 s. */
  grace_period?: DurationInfo;
}

export interface DiscoveryInfo {
  visibility: 'FRAMEWORK' | 'CLUSTER' | 'EXTERNAL';
  name?: string;
  environment?: string;
  location?: string;
  version?: string;
  ports?: { ports: { number: number; name?: string; protocol?: string; visibility?: string; labels?: Labels }[] };
  labels?: Labels;
}

export interface Volume {
  mode: 'RW' | 'RO';
  container_path: string;
  host_path?: string;
}

/** Linux capabilities by their names without `CAP_`; the agent needs the isolator `linux/capabilities`. */
export interface CapabilityInfo {
  capabilities: string[];
}

/** A container of Mesos' own (UCR), with or without an image, or one of Docker. Without `network_infos` or with HOST: the agent's network. */
export type ContainerInfo = { hostname?: string; volumes?: Volume[] } & (
  | {
      type: 'MESOS';
      mesos?: { image?: { type: 'DOCKER'; docker: { name: string }; cached?: boolean } };
      network_infos?: { name?: string }[];
      linux_info?: {
        share_cgroups?: boolean;
        effective_capabilities?: CapabilityInfo;
        bounding_capabilities?: CapabilityInfo;
      };
    }
  | {
      type: 'DOCKER';
      docker: {
        image: string;
        network?: 'HOST' | 'BRIDGE' | 'NONE' | 'USER';
        privileged?: boolean;
        force_pull_image?: boolean;
        parameters?: { key: string; value: string }[];
        port_mappings?: { host_port: number; container_port: number; protocol?: string }[];
      };
      network_infos?: { name?: string }[];
    }
);

export interface ExecutorInfo {
  type?: 'DEFAULT' | 'CUSTOM';
  executor_id: { value: string };
  framework_id?: { value: string };
  name?: string;
  command?: CommandInfo;
  container?: ContainerInfo;
  resources?: Resource[];
  labels?: Labels;
}

/** How much a task may use beyond what it asks for. Endless is a text: JSON has no number for it. */
export interface Limit {
  value: number | 'Infinity';
}

/** Exactly one of `command` and `executor`. */
export interface TaskInfo {
  name: string;
  task_id: { value: TaskId };
  agent_id: { value: AgentId };
  resources: Resource[];
  /** At least what `resources` asks for, cpus and mem only. Mesos 1.10; older ones ignore it. */
  limits?: { cpus?: Limit; mem?: Limit };
  command?: CommandInfo;
  executor?: ExecutorInfo;
  container?: ContainerInfo;
  health_check?: HealthCheck;
  check?: CheckInfo;
  kill_policy?: KillPolicy;
  max_completion_time?: DurationInfo;
  labels?: Labels;
  discovery?: DiscoveryInfo;
  /** Base64, for the executor. */
  data?: string;
}
