/** Every recorded case: compared (by the test of that name), or out of scope and why. */

export type Scope =
  | { readonly kind: 'compared'; readonly except?: string }
  | { readonly kind: 'out of scope'; readonly reason: string };

const compared: Scope = { kind: 'compared' };
const except = (what: string): Scope => ({ kind: 'compared', except: what });
const outOfScope = (reason: string): Scope => ({ kind: 'out of scope', reason });

export const CASES: Readonly<Record<string, Scope>> = {
  agent_graceful_shutdown: compared,
  agent_hangs_a: except('agents are not pinged: a cut link stands for a hanging agent'),
  agent_hangs_b: except('agents are not pinged: a cut link stands for a hanging agent'),
  agent_lost_and_back: compared,
  agent_restart_quick: compared,
  authentication: except('the updates come from a stand-in agent'),
  bad_requests: compared,
  custom_executor: outOfScope('the local agents run commands only, no custom executors'),
  decline_suppress_revive: compared,
  executor_killed: except('the updates come from a stand-in agent'),
  exits_finished_failed: except('the updates come from a stand-in agent'),
  framework_failover: compared,
  health_checks: except('the updates come from a stand-in agent'),
  http_details: except('protobuf answers are refused with 406; HEAD has no body, as HTTP wants it'),
  kill_grace: except('the updates come from a stand-in agent'),
  kill_grace_http_command_executor: except('the updates come from a stand-in agent'),
  launch_ack_reconcile_kill: compared,
  launch_group_default_executor: outOfScope('task groups are refused with TASK_ERROR: there is no default executor'),
  maintenance: except('the updates come from a stand-in agent'),
  mark_agent_gone: except('the updates come from a stand-in agent'),
  master_failover: except('there is no ZooKeeper: a test says who leads'),
  master_restart_agent_missing: except('there is no ZooKeeper: a test says who leads'),
  operator_get: except('flags, metrics, the web UI, and the endpoints of the agent'),
  operator_subscribe: compared,
  partition_aware_invalid_offer: compared,
  reserve_create_volume: except('the updates come from a stand-in agent'),
  subscribe: compared,
  task_error: compared,
  unacknowledged: compared,
  zookeeper: outOfScope('the local cluster has no ZooKeeper'),
  zookeeper_lost: outOfScope('the local cluster has no ZooKeeper'),
};
