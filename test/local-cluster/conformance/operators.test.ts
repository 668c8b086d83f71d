/** What operators do: maintenance, drain, reactivation and the end of an agent, over HTTP, and what a framework hears. */
import { describe, expect, it } from 'vitest';
import type { AgentId } from '../../../framework/mesos-http-client/messages.ts';
import { answers, exchange } from './raw-http.ts';
import { haveRecordings, parseResponse, recordedResponse } from './recordings.ts';
import { type OurStream, Replay } from './replay.ts';
import { essence, serve } from './served.ts';
import { shapeOf } from './shape.ts';

/** Sends a recorded operator call; the answer has the recorded shape, and nothing in it but ids and times is new. */
async function operate(replay: Replay, port: number, name: string, exchangeName: string): Promise<unknown> {
  const got = await exchange(port, replay.operatorRequest(exchangeName), answers(1));
  got.socket.destroy();
  const ours = parseResponse(got.text);
  const theirs = recordedResponse(name, exchangeName);
  const shaped = ({ body }: { body: string }): unknown => (body === '' ? '' : shapeOf([JSON.parse(body)]));
  expect({ exchangeName, ...(essence({ ...ours, body: '' }, false) as object), shape: shaped(ours) }).toEqual({
    exchangeName,
    ...(essence({ ...theirs, body: '' }, false) as object),
    shape: shaped(theirs),
  });
  await replay.clock.advance(0);
  return ours.body === '' ? null : JSON.parse(ours.body);
}

/** How many events of a type came, and about when. */
function timesOf(events: OurStream['events'] | OurStream['recorded'], type: string): number[] {
  return events.filter(({ event }) => event.type === type).map(({ t_ms }) => t_ms);
}

describe.runIf(haveRecordings)(haveRecordings ? 'as recorded' : 'as recorded (not run: no ../shared)', () => {
  it('maintenance', async () => {
    // The allocator of then ran 740 ms after each full second of the stream.
    const replay = new Replay('maintenance', { phaseMs: 260 });
    const port = await serve(() => replay.master);
    const ask = (exchangeName: string): Promise<unknown> => operate(replay, port, 'maintenance', exchangeName);
    const stream = await replay.subscribe('subscribe');
    await replay.send('accept');
    await replay.until(3200);
    await ask('UPDATE_MAINTENANCE_SCHEDULE');
    await replay.until(5200);
    await replay.send('decline_inverse_offers');
    expect(await ask('GET_MAINTENANCE_STATUS-declined')).toMatchObject({
      get_maintenance_status: { status: { draining_machines: [{ statuses: [{ status: 'DECLINE' }] }] } },
    });
    await replay.until(8260);
    await replay.send('accept_inverse_offers');
    await ask('GET_MAINTENANCE_STATUS-accepted');
    await replay.until(14_270);
    await ask('UPDATE_MAINTENANCE_SCHEDULE-empty');
    await replay.until(18_290);
    await ask('UPDATE_MAINTENANCE_SCHEDULE-again');
    await replay.until(26_300);
    await ask('START_MAINTENANCE');
    const agent = replay.agent('127.0.0.2');
    expect(agent.told.at(-1)).toEqual({ call: 'shutDown' });
    const last = stream.events.slice(-4).map(({ event }) => event.type);
    expect(last).toEqual(['UPDATE', 'RESCIND', 'RESCIND_INVERSE_OFFER', 'FAILURE']);
    await replay.until(31_300);
    await ask('GET_MAINTENANCE_STATUS-down');
    await ask('GET_MAINTENANCE_SCHEDULE-down');
    await replay.send('reconcile');
    await replay.until(32_320);
    await ask('STOP_MAINTENANCE');
    await ask('GET_MAINTENANCE_SCHEDULE-after');
    agent.join(replay.master);
    await replay.until(33_000);
    replay.expectSame(stream);
    for (const type of ['RESCIND', 'INVERSE_OFFERS', 'RESCIND_INVERSE_OFFER']) {
      const ours = timesOf(stream.events, type);
      const theirs = timesOf(stream.recorded, type);
      expect({ type, count: ours.length }).toEqual({ type, count: theirs.length });
      for (const [index, t] of theirs.entries()) expect(Math.abs((ours[index] ?? 0) - t)).toBeLessThan(1000);
    }
  });

  it('mark_agent_gone', async () => {
    const replay = new Replay('mark_agent_gone');
    const port = await serve(() => replay.master);
    const ask = (exchangeName: string): Promise<unknown> => operate(replay, port, 'mark_agent_gone', exchangeName);
    const stream = await replay.subscribe('subscribe-pa');
    await replay.send('accept-pa');
    await replay.until(4200);
    await ask('DRAIN_AGENT');
    const agent = replay.agent('127.0.0.2');
    expect(agent.told.at(-1)).toEqual({ call: 'drain', order: { maxGraceSeconds: 2, markGone: false } });
    await replay.until(10_200);
    const drained = await ask('GET_AGENTS-drained');
    const agents = (drained as { get_agents: { agents: { agent_info: { id: { value: AgentId } } }[] } }).get_agents;
    expect(agents.agents.find(({ agent_info }) => agent_info.id.value === agent.id)).toMatchObject({
      active: false,
      deactivated: true,
      drain_info: { state: 'DRAINED', config: { max_grace_period: { nanoseconds: 0 }, mark_gone: false } },
    });
    await ask('REACTIVATE_AGENT');
    await replay.until(11_100);
    await replay.send('accept-2');
    await replay.until(12_250);
    await ask('MARK_AGENT_GONE');
    await replay.until(16_250);
    await replay.send('reconcile');
    replay.expectSame(stream);
    expect(timesOf(stream.events, 'OFFERS')).toHaveLength(timesOf(stream.recorded, 'OFFERS').length);
  });
});
