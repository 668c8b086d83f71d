import { afterEach, beforeEach, expect, test } from 'vitest';
import { createOperator, fixedMaster, MesosError, type Operator } from '../../../framework/mesos-http-client/index.ts';
import type { OperatorEvent } from '../../../framework/mesos-http-client/messages.ts';
import { ScriptedMaster, until } from './scripted-master.ts';

let master: ScriptedMaster;
let operator: Operator;
let events: OperatorEvent['type'][];

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
  ['a refusal', 403, 'no', /refused: 403 no/],
  ['no JSON', 200, '<html>', /cannot be read/],
  ['another answer', 200, '{"type":"GET_HEALTH"}', /cannot be read/],
])('%s is an error that says so', async (_name, status, body, message) => {
  master.onCall = (_received, response) => response.writeHead(status).end(body);
  const failure = operator.getAgents();
  await expect(failure).rejects.toThrow(MesosError);
  await expect(failure).rejects.toThrow(message);
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
