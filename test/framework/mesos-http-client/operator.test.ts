import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  createOperator,
  fixedMaster,
  MesosError,
  type Operator,
  principalAuthorization,
} from '../../../framework/mesos-http-client/index.ts';
import { agentId, type OperatorCommand, type OperatorEvent } from '../../../framework/mesos-http-client/messages.ts';
import { ScriptedMaster, until } from './scripted-master.ts';

let master: ScriptedMaster;
let operator: Operator;
let events: OperatorEvent['type'][];
let downs: string[];

const agent = {
  agent_info: {
    hostname: 'h',
    id: { value: 'S1' },
    attributes: [{ name: 'rack', type: 'TEXT', text: { value: 'r' } }],
  },
  pid: 'slave(1)@10.0.0.5:5051',
};

beforeEach(async () => {
  master = await new ScriptedMaster().start();
  events = [];
  downs = [];
  operator = createOperator({
    masters: fixedMaster(master.url),
    onEvent: (event) => {
      events.push(event.type);
    },
    onDown: () => {},
    random: () => 0,
  });
});

afterEach(async () => {
  operator.close();
  await master.stop();
});

test('the list of agents is read, with what an older master leaves out', async () => {
  master.onCall = (_received, response) =>
    response.end(JSON.stringify({ type: 'GET_AGENTS', get_agents: { agents: [agent] } }));
  const list = await operator.getAgents();
  expect(list.agents[0]?.pid).toBe('slave(1)@10.0.0.5:5051');
  expect(list.recovered_agents).toEqual([]);
  expect(master.received[0]?.path).toBe('/api/v1');
});

test.each([
  ['a refusal', 400, 'no', /GET_AGENTS: .* refused: 400 no/],
  ['no JSON', 200, '<html>', /cannot be read/],
  ['another answer', 200, '{"type":"GET_HEALTH"}', /cannot be read/],
])('%s is an error that says so', async (_name, status, body, message) => {
  master.onCall = (_received, response) => response.writeHead(status).end(body);
  const failure = operator.getAgents();
  await expect(failure).rejects.toThrow(MesosError);
  await expect(failure).rejects.toThrow(message);
});

test.each([
  ['GET_AGENTS', /principal 'op' needs the permission for GET_AGENTS: view_roles/],
  ['GET_TASKS', /principal 'op' needs the permission for GET_TASKS: view_frameworks and view_tasks/],
] as const)('%s that is not allowed names the permission that is missing', async (question, message) => {
  const authorization = principalAuthorization('op', 'x');
  const ours = createOperator({
    masters: fixedMaster(master.url),
    authorization,
    onEvent: () => {},
    onDown: (reason, _, kind) => downs.push(`${kind} ${reason}`),
  });
  master.onSubscribe = (_received, response) => response.writeHead(403).end();
  master.onCall = (_received, response) => response.writeHead(403).end();
  await expect(ours.ask(question)).rejects.toMatchObject({
    kind: 'forbidden',
    message: expect.stringMatching(message),
  });
  ours.open();
  await until(() => downs.length > 0);
  expect(downs[0]).toMatch(/^forbidden .*'op' needs the permission for SUBSCRIBE: view_frameworks, view_tasks/);
  ours.close();
});

test.each([
  [404, 'no-leader'],
  [500, 'failed'],
  [501, 'refused'],
  [503, 'no-leader'],
])('an answer %i is of the kind %s', async (status, kind) => {
  master.onCall = (_received, response) => response.writeHead(status).end();
  await expect(operator.ask('GET_VERSION')).rejects.toMatchObject({ kind });
});

test('an answer that breaks off is an error of a kind, too', async () => {
  master.onCall = (_received, response) => {
    response.writeHead(200, { 'content-length': '1000' });
    response.write('{"type":"GET_AGENTS",');
    setTimeout(() => response.destroy(), 10);
  };
  await expect(operator.getAgents()).rejects.toMatchObject({ kind: 'unreachable' });
});

test('commands are sent as they are, and hold when the master has agreed', async () => {
  master.onCall = (_received, response) => response.end();
  const id = { value: agentId('S1') };
  const start = { nanoseconds: '1795192640536518657' };
  const machines = [{ hostname: 'h', ip: '10.0.0.5' }];
  const commands: OperatorCommand[] = [
    { type: 'DRAIN_AGENT', drain_agent: { agent_id: id, max_grace_period: { nanoseconds: 5e9 } } },
    { type: 'DEACTIVATE_AGENT', deactivate_agent: { agent_id: id } },
    { type: 'REACTIVATE_AGENT', reactivate_agent: { agent_id: id } },
    { type: 'MARK_AGENT_GONE', mark_agent_gone: { agent_id: id } },
    {
      type: 'UPDATE_MAINTENANCE_SCHEDULE',
      update_maintenance_schedule: { schedule: { windows: [{ machine_ids: machines, unavailability: { start } }] } },
    },
    { type: 'START_MAINTENANCE', start_maintenance: { machines } },
    { type: 'STOP_MAINTENANCE', stop_maintenance: { machines } },
  ];
  for (const command of commands) await operator.command(command);
  expect(master.received.map((one) => one.body)).toEqual(commands);
  master.onCall = (_received, response) => response.writeHead(400).end('Agent S1 is not known');
  await expect(operator.command({ type: 'MARK_AGENT_GONE', mark_agent_gone: { agent_id: id } })).rejects.toMatchObject({
    kind: 'refused',
    message: expect.stringMatching(/MARK_AGENT_GONE: .* 400 Agent S1 is not known/),
  });
});

test('the stream tells of tasks and frameworks, too', async () => {
  const heard: OperatorEvent[] = [];
  const ours = createOperator({
    masters: fixedMaster(master.url),
    onEvent: (event) => void heard.push(event),
    onDown: () => {},
  });
  master.onSubscribe = (_received, response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    master.streams.push(response);
    master.write({ type: 'SUBSCRIBED', subscribed: {} });
  };
  ours.open();
  await until(() => heard.length === 1);
  const ids = { task_id: { value: 't' }, agent_id: { value: 'S1' } };
  const framework_info = { user: 'root', name: 'f', id: { value: 'f-1' } };
  const labels = { labels: [{ key: 'node', value: 'a' }] };
  const task = { name: 't', ...ids, framework_id: { value: 'f-1' }, state: 'TASK_STAGING', labels };
  master.write({ type: 'TASK_ADDED', task_added: { task } });
  const status = { ...ids, state: 'TASK_RUNNING' };
  const task_updated = { framework_id: { value: 'f-1' }, status, state: 'TASK_RUNNING' };
  master.write({ type: 'TASK_UPDATED', task_updated });
  const framework = { framework_info, active: true, connected: true };
  for (const one of ['added', 'updated']) {
    master.write({ type: `FRAMEWORK_${one.toUpperCase()}`, [`framework_${one}`]: { framework } });
  }
  master.write({ type: 'FRAMEWORK_REMOVED', framework_removed: { framework_info } });
  await until(() => heard.length === 6);
  expect(heard[1]).toMatchObject({ type: 'TASK_ADDED', task_added: { task: { labels } } });
  expect(heard[2]).toMatchObject({ task_updated });
  expect(heard.slice(3).map((event) => event.type)).toEqual([
    'FRAMEWORK_ADDED',
    'FRAMEWORK_UPDATED',
    'FRAMEWORK_REMOVED',
  ]);
  ours.close();
});

test('the stream tells of agents, skips the rest, and is opened again when it breaks', async () => {
  operator.open();
  master.onSubscribe = (_received, response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    master.streams.push(response);
    master.write({ type: 'SUBSCRIBED', subscribed: { get_state: { get_agents: { agents: [agent] } } } });
  };
  await until(() => events.length === 1);
  master.write({ type: 'TASK_ADDED', task_added: {} });
  master.write({ type: 'AGENT_ADDED', agent_added: { agent } });
  master.write({ type: 'AGENT_REMOVED', agent_removed: { agent_id: { value: 'S1' } } });
  await until(() => events.length === 3);
  master.streams[0]?.destroy();
  await until(() => events.length === 4);
  expect(events).toEqual(['SUBSCRIBED', 'AGENT_ADDED', 'AGENT_REMOVED', 'SUBSCRIBED']);
});
