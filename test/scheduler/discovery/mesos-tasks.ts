/** Tasks, agents and snapshots as Mesos writes them: what the tests of the second source begin with. */
import { type OperatorEvent, operatorEventSchema } from '../../../framework/mesos-http-client/messages.ts';

/** An event, read as the client reads it. */
export const event = (json: object): OperatorEvent => operatorEventSchema.parse(json);

export const framework = (id: string, name: string, rest: object = {}): object => ({
  framework_info: { user: 'root', name, id: { value: id }, ...rest },
  active: true,
  connected: true,
});

export const agent = (id: string, ip: string): object => ({
  agent_info: { hostname: `${id}.example`, id: { value: id } },
  pid: `slave(1)@${ip}:5051`,
});

interface TaskDraft {
  readonly state?: string;
  readonly name?: string;
  readonly framework?: string;
  readonly agent?: string;
  readonly discovery?: unknown;
  readonly container?: unknown;
  readonly labels?: unknown;
  readonly health_check?: unknown;
  readonly resources?: unknown;
  readonly statuses?: unknown;
}

/** `discovery` by default: a name and the port 31000, as the SDK writes it. */
export function task(
  id: string,
  { state = 'TASK_RUNNING', name = id, framework: of = 'F1', agent: on = 'S1', ...rest }: TaskDraft = {},
) {
  return {
    name,
    task_id: { value: id },
    framework_id: { value: of },
    agent_id: { value: on },
    state,
    resources: [],
    statuses: state === 'TASK_STAGING' ? [] : [status(id, state, { agent: on })],
    discovery: { visibility: 'CLUSTER', name, ports: { ports: [{ number: 31_000, name: 'http', protocol: 'tcp' }] } },
    ...rest,
  };
}

export function status(
  id: string,
  state: string,
  { agent: on = 'S1', ...rest }: { agent?: string; [field: string]: unknown } = {},
) {
  return {
    task_id: { value: id },
    state,
    source: 'SOURCE_EXECUTOR',
    agent_id: { value: on },
    timestamp: 1_795_192_464.5,
    ...rest,
  };
}

export const added = (draft: object): object => ({ type: 'TASK_ADDED', task_added: { task: draft } });

export const updated = (
  id: string,
  state: string,
  rest: { framework?: string; latest?: string; [field: string]: unknown } = {},
) => {
  const { framework: of = 'F1', latest = state, ...more } = rest;
  return {
    type: 'TASK_UPDATED',
    task_updated: { framework_id: { value: of }, status: status(id, state, more), state: latest },
  };
};

interface SnapshotDraft {
  readonly frameworks?: readonly object[];
  readonly completed?: readonly object[];
  readonly agents?: readonly object[];
  readonly recovered?: readonly object[];
  readonly tasks?: readonly object[];
  readonly unreachable?: readonly object[];
}

export function subscribed({
  frameworks = [framework('F1', 'hello-world'), framework('M1', 'marathon')],
  completed = [],
  agents = [agent('S1', '10.0.0.1'), agent('S2', '10.0.0.2')],
  recovered = [],
  tasks = [],
  unreachable = [],
}: SnapshotDraft = {}) {
  return {
    type: 'SUBSCRIBED',
    subscribed: {
      get_state: {
        get_tasks: { tasks, unreachable_tasks: unreachable },
        get_frameworks: { frameworks, completed_frameworks: completed },
        get_agents: { agents, recovered_agents: recovered },
      },
      heartbeat_interval_seconds: 15,
    },
  };
}
