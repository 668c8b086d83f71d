/**
 * Does again, in virtual time and against our master, what the client of a recorded case did: its own requests, with
 * the ids of then replaced by those of now, and agents that report what the agents of then reported.
 */
import { expect } from 'vitest';
import {
  type AgentId,
  type EventWire,
  type FrameworkId,
  type OfferWire,
  type SubscribeCall,
  type TaskInfo,
  type TaskStatus,
  taskId,
} from '../../../framework/mesos-http-client/messages.ts';
import type { Master, MasterOptions } from '../../../local-cluster/master/master.ts';
import type { MasterCall } from '../../../local-cluster/master/operation-feedback.ts';
import type { Refusal, SchedulerConnection } from '../../../local-cluster/scheduler-link.ts';
import { newMaster } from '../master/support/lab.ts';
import { describeAgent, StandInAgent } from '../master/support/stand-in-agent.ts';
import { info, TestFramework } from '../master/support/test-framework.ts';
import { VirtualClock } from '../master/support/virtual-clock.ts';
import { fitted } from './raw-http.ts';
import { exchanges, hasStream, type RecordedEvent, rawRequest, recordedStream, requestBody } from './recordings.ts';
import { kindOf, masterSequence, perTask, shapeOf, statusesOf } from './shape.ts';

export interface OurStream {
  readonly exchange: string;
  readonly startedAt: number;
  readonly recorded: readonly RecordedEvent[];
  readonly events: { readonly t_ms: number; readonly event: EventWire }[];
  readonly connection: SchedulerConnection;
  readonly used: Set<string>;
  closed: boolean;
}

export interface ReplayOptions extends Partial<MasterOptions> {
  /** False: the case acknowledges by its own requests. */
  readonly acknowledging?: boolean;
  readonly hosts?: readonly string[];
  /** Statuses are reported as soon as the task runs, not when they were recorded. */
  readonly eager?: boolean;
  /** How long the master has been allocating, once a second, when the case begins. */
  readonly phaseMs?: number;
}

const HOSTS = ['127.0.0.1', '127.0.0.2'];

export class Replay {
  readonly clock = new VirtualClock();
  readonly agents: StandInAgent[];
  readonly streams: OurStream[] = [];
  master: Master;
  readonly #name: string;
  readonly #options: ReplayOptions;
  readonly #all: readonly (readonly RecordedEvent[])[];
  readonly #started: number;
  #unrecorded = new TestFramework();

  constructor(name: string, options: ReplayOptions = {}) {
    this.#name = name;
    this.#options = options;
    this.#all = exchanges(name)
      .filter((exchange) => hasStream(name, exchange))
      .map((exchange) => recordedStream(name, exchange));
    this.master = newMaster(this.clock, { ip: '127.0.0.1', ...options });
    this.agents = (options.hosts ?? HOSTS).map((host) => this.#agent(host).join(this.master));
    this.#started = this.clock.now() + (options.phaseMs ?? 0);
  }

  agent(host: string): StandInAgent {
    const agent = this.agents.find(({ description }) => description.hostname === host);
    if (agent === undefined) throw new Error(`no agent ${host}`);
    return agent;
  }

  /** Time goes on to this many milliseconds after the start. */
  async until(ms: number): Promise<void> {
    await this.clock.advance(Math.max(0, this.#started + ms - this.clock.now()));
  }

  async subscribe(exchange: string): Promise<OurStream> {
    await this.until(0);
    const call = this.#translate(requestBody(this.#name, exchange)) as SubscribeCall;
    const events: OurStream['events'] = [];
    const startedAt = this.clock.now();
    const connection = this.master.subscribe(call, {
      event: (event) => this.#take(stream, event),
      closed: () => {
        stream.closed = true;
      },
    });
    if ('status' in connection) throw new Error(connection.message);
    const recorded = recordedStream(this.#name, exchange);
    const stream: OurStream = { exchange, startedAt, recorded, events, connection, used: new Set(), closed: false };
    this.streams.push(stream);
    await this.clock.advance(0);
    return stream;
  }

  /** Sends a recorded request; `as` names the stream whose stream id it carries (the framework's latest by default). */
  async send(exchange: string, as?: OurStream): Promise<Refusal | null> {
    const call = requestBody(this.#name, exchange) as MasterCall & { framework_id: { value: FrameworkId } };
    const stream = as ?? this.#streamOf(call.framework_id.value);
    const body = this.#translate(call, stream) as typeof call;
    const answer = this.master.call(stream.connection.frameworkId, stream.connection.streamId, body);
    await this.clock.advance(0);
    return answer;
  }

  /** A recorded request to the operator API, as bytes, with the ids of now. */
  operatorRequest(exchange: string): string {
    const raw = rawRequest(this.#name, exchange);
    const body = JSON.stringify(this.#translate(requestBody(this.#name, exchange)));
    return fitted(raw.slice(0, raw.indexOf('\r\n\r\n') + 4) + body);
  }

  /** Compares a stream with the recorded one: order for each task, what the master says, and shapes. */
  expectSame(
    stream: OurStream,
    how: { collapseResent?: boolean; heartbeats?: boolean; rescinds?: boolean } = {},
  ): void {
    const ours = stream.events.map(({ event }) => event);
    const theirs = stream.recorded.map(({ event }) => event);
    const collapse = how.collapseResent === true;
    expect(perTask(ours, collapse)).toEqual(perTask(theirs, collapse));
    expect(masterSequence(ours)).toEqual(masterSequence(theirs));
    const count = (events: EventWire[], type: string): number => events.filter((event) => event.type === type).length;
    if (how.heartbeats !== false) expect(count(ours, 'HEARTBEAT')).toBe(count(theirs, 'HEARTBEAT'));
    if (how.rescinds !== false) expect(count(ours, 'RESCIND') > 0).toBe(count(theirs, 'RESCIND') > 0);
    expect(count(ours, 'OFFERS') > 0).toBe(count(theirs, 'OFFERS') > 0);
    for (const kind of new Set(theirs.map(kindOf))) {
      if (kind === 'RESCIND') continue;
      const of = (events: EventWire[]): EventWire[] => events.filter((event) => kindOf(event) === kind);
      expect({ kind, shape: shapeOf(of(ours)) }).toEqual({ kind, shape: shapeOf(of(theirs)) });
    }
  }

  /** A new master that knows what the one before it knew; nobody is back yet. */
  failOver(): void {
    this.master.shutdown();
    this.master = newMaster(this.clock, { ip: '127.0.0.1', ...this.#options, registry: this.master.registry() });
  }

  #agent(host: string): StandInAgent {
    const number = host.endsWith('1') ? '1' : '2';
    const attributes = [
      { name: 'rack', type: 'TEXT' as const, text: { value: `r${number}` } },
      { name: 'zone', type: 'TEXT' as const, text: { value: `z${number}` } },
      { name: 'host', type: 'TEXT' as const, text: { value: host } },
    ];
    const agent = new StandInAgent(this.clock, describeAgent(host, { attributes }));
    agent.onRun = (task) => this.#reportAsRecorded(agent, task);
    agent.onKill = () => {};
    agent.onDrain = () => {};
    return agent;
  }

  /** A framework whose stream was not recorded (the operator's was): the one that all cases use. */
  async subscribeUnrecorded(): Promise<void> {
    this.#unrecorded = new TestFramework().subscribe(this.master, info());
    await this.clock.advance(0);
  }

  async launchUnrecorded(id: string, states: readonly TaskStatus['state'][], over: Partial<TaskInfo>): Promise<void> {
    const offer = this.#unrecorded.offer('127.0.0.1');
    const agent = this.agent('127.0.0.1');
    agent.onRun = () => {
      for (const state of states) agent.report(taskId(id), state);
    };
    this.#unrecorded.launch(offer, id, over);
    await this.clock.advance(0);
  }

  tearDown(): void {
    this.#unrecorded.call({ type: 'TEARDOWN' });
  }

  /** The agent reports what it reported of a task on a stream that was opened later than the launch. */
  async report(agent: StandInAgent, exchange: string, id: string): Promise<void> {
    for (const status of statusesOf(recordedStream(this.#name, exchange).map(({ event }) => event))) {
      if (status.task_id.value !== id || status.source === 'SOURCE_MASTER') continue;
      agent.forward({ ...status, agent_id: { value: agent.id as AgentId } });
    }
    await this.clock.advance(0);
  }

  /** Every status that came from an executor or an agent, at its time. */
  #reportAsRecorded(agent: StandInAgent, task: TaskInfo): void {
    const stream = this.streams.find(({ recorded }) =>
      statusesOf(recorded.map(({ event }) => event)).some((status) => status.task_id.value === task.task_id.value),
    );
    const seen = new Set<string | undefined>();
    for (const { t_ms, event } of stream?.recorded ?? []) {
      if (stream === undefined || event.type !== 'UPDATE') continue;
      const status = event.update.status as TaskStatus;
      if (status.task_id.value !== task.task_id.value || status.source === 'SOURCE_MASTER' || seen.has(status.uuid))
        continue;
      seen.add(status.uuid);
      const now: TaskStatus = { ...status, agent_id: { value: agent.id as AgentId } };
      const wait = this.#options.eager === true ? 0 : stream.startedAt + t_ms - this.clock.now();
      this.clock.after(Math.max(0, wait), () => agent.forward(now));
    }
  }

  #take(stream: OurStream, event: EventWire): void {
    // As it would be read from the wire.
    const read = JSON.parse(JSON.stringify(event)) as EventWire;
    stream.events.push({ t_ms: this.clock.now() - stream.startedAt, event: read });
    if (read.type !== 'UPDATE' || this.#options.acknowledging === false) return;
    const { uuid, agent_id, task_id } = read.update.status as TaskStatus;
    if (uuid === undefined || agent_id === undefined) return;
    stream.connection.call({
      type: 'ACKNOWLEDGE',
      acknowledge: { agent_id, task_id: { value: taskId(task_id.value) }, uuid },
    });
  }

  #streamOf(recordedFramework: string): OurStream {
    const found = this.streams.findLast(({ recorded }) => recordedFrameworkId(recorded) === recordedFramework);
    if (found === undefined) throw new Error(`no stream of ${recordedFramework}`);
    return found;
  }

  /** Ids of then become ids of now; offers of then the offers held now on the same agent. */
  #translate(value: unknown, stream?: OurStream): unknown {
    if (Array.isArray(value)) return value.map((element) => this.#translate(element, stream));
    if (typeof value === 'object' && value !== null) {
      return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, this.#translate(inner, stream)]));
    }
    return typeof value === 'string' ? this.#translateId(value, stream) : value;
  }

  #translateId(text: string, stream: OurStream | undefined): string {
    for (const [index, recorded] of this.#all.entries()) {
      const ours = this.streams.find((one) => one.recorded.length > 0 && recordedFrameworkId(one.recorded) === text);
      if (ours !== undefined) return ours.connection.frameworkId;
      for (const offer of offersIn(this.#all[index] ?? recorded)) {
        if (offer.agent_id.value === text) return this.agent(offer.hostname).id ?? text;
        if (offer.id.value !== text || stream === undefined) continue;
        const held = heldOffers(stream).find(({ hostname }) => hostname === offer.hostname);
        if (held === undefined) return text;
        stream.used.add(held.id.value);
        return held.id.value;
      }
      if (stream === undefined || !inverseOffersIn(this.#all[index] ?? recorded).includes(text)) continue;
      return inverseOffersIn(stream.events).at(-1) ?? text;
    }
    return text;
  }
}

function recordedFrameworkId(recorded: readonly RecordedEvent[]): string | undefined {
  const first = recorded.find(({ event }) => event.type === 'SUBSCRIBED')?.event;
  return first?.type === 'SUBSCRIBED' ? first.subscribed.framework_id.value : undefined;
}

function offersIn(events: readonly { readonly event: EventWire }[]): OfferWire[] {
  return events.flatMap(({ event }) => (event.type === 'OFFERS' ? (event.offers.offers ?? []) : []));
}

function inverseOffersIn(events: readonly { readonly event: EventWire }[]): string[] {
  return events.flatMap(({ event }) =>
    event.type === 'INVERSE_OFFERS' ? (event.inverse_offers.inverse_offers ?? []).map(({ id }) => id.value) : [],
  );
}

function heldOffers(stream: OurStream): OfferWire[] {
  const rescinded = stream.events.flatMap(({ event }) =>
    event.type === 'RESCIND' ? [event.rescind.offer_id.value] : [],
  );
  return offersIn(stream.events).filter(
    (offer) => !stream.used.has(offer.id.value) && !rescinded.includes(offer.id.value),
  );
}
