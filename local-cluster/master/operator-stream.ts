/** The event stream of the operator API: everyone who subscribed hears of agents, frameworks and tasks. */
import type {
  AgentId,
  FrameworkId,
  FrameworkInfo,
  OperatorAgentWire,
  TaskStatus,
} from '../../framework/mesos-http-client/messages.ts';
import type { Clock } from './clock.ts';
import { type Sink, Subscription } from './subscription.ts';

/** Events as the master writes them: of what it holds it writes more than our own reader keeps. */
export type OperatorEventWire =
  | { type: 'SUBSCRIBED'; subscribed: { get_state: object; heartbeat_interval_seconds: number } }
  | { type: 'HEARTBEAT' }
  | { type: 'TASK_ADDED'; task_added: { task: object } }
  | { type: 'TASK_UPDATED'; task_updated: { framework_id: { value: FrameworkId }; status: TaskStatus; state: string } }
  | { type: 'AGENT_ADDED'; agent_added: { agent: OperatorAgentWire } }
  | { type: 'AGENT_REMOVED'; agent_removed: { agent_id: { value: AgentId } } }
  | { type: 'FRAMEWORK_ADDED'; framework_added: { framework: object } }
  | { type: 'FRAMEWORK_UPDATED'; framework_updated: { framework: object } }
  | { type: 'FRAMEWORK_REMOVED'; framework_removed: { framework_info: FrameworkInfo } };

export type OperatorSink = Sink<OperatorEventWire>;

export class OperatorStreams {
  readonly #streams = new Set<Subscription<OperatorEventWire>>();

  open(
    streamId: string,
    sink: OperatorSink,
    snapshot: OperatorEventWire,
    clock: Clock,
    heartbeatMs: number,
  ): Subscription<OperatorEventWire> {
    const stream = new Subscription(streamId, sink);
    this.#streams.add(stream);
    stream.send(snapshot);
    stream.beat(clock, heartbeatMs, { type: 'HEARTBEAT' });
    return stream;
  }

  hangUp(stream: Subscription<OperatorEventWire>): void {
    stream.hangUp();
    this.#streams.delete(stream);
  }

  send(event: OperatorEventWire): void {
    for (const stream of this.#streams) stream.send(event);
  }

  /** The state is costly to write: events are made only when somebody listens. */
  get watched(): boolean {
    return this.#streams.size > 0;
  }

  endAll(): void {
    for (const stream of this.#streams) stream.end();
    this.#streams.clear();
  }
}
