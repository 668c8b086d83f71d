/**
 * The status update manager: keeps each task's updates in order, lets only the oldest unacknowledged one out, and says
 * when it is to be sent again. Knows no clock of its own and sends nothing; as in Mesos' task_status_update_manager,
 * a missed acknowledgement therefore holds up all later updates of that task.
 */
import type { FrameworkId, TaskId, TaskStatus } from '../../framework/mesos-http-client/messages.ts';
import type { Backoff } from './agent-options.ts';
import { isTerminal } from './task-status.ts';

export interface OutgoingUpdate {
  readonly frameworkId: FrameworkId;
  readonly status: TaskStatus;
}

export type Acknowledgement =
  /** Unknown task, wrong uuid, or acknowledged before: Mesos ignores it. */
  | { readonly kind: 'ignored' }
  | { readonly kind: 'accepted'; readonly status: TaskStatus; readonly next: TaskStatus | null };

interface Stream {
  readonly frameworkId: FrameworkId;
  /** Never empty while the stream is in the map; the first is the one that was sent. */
  readonly pending: TaskStatus[];
  waitMs: number;
  dueMs: number;
}

/** Mesos: 10 s, doubling to 10 min (src/slave/constants.hpp). */
const MESOS_RETRY: Backoff = { firstMs: 10_000, maxMs: 600_000 };
/** A framework that never acknowledges must not make an agent's memory grow with each health check. */
const MAX_PENDING = 64;

export class StatusUpdateManager {
  private readonly streams = new Map<string, Stream>();
  private readonly retry: Backoff;

  constructor(retry: Backoff = MESOS_RETRY) {
    this.retry = retry;
  }

  /** Queues an update; returns it if it is to be sent now, null if an older one is still unacknowledged. */
  add(frameworkId: FrameworkId, status: TaskStatus, nowMs: number): TaskStatus | null {
    const key = streamKey(frameworkId, status.task_id.value);
    const stream = this.streams.get(key);
    if (stream === undefined) {
      this.streams.set(key, { frameworkId, pending: [status], ...this.sentAt(nowMs, this.retry.firstMs) });
      return status;
    }
    const last = stream.pending.at(-1);
    const superseded = stream.pending.length >= MAX_PENDING && last?.state === status.state && !isTerminal(last.state);
    if (superseded) stream.pending.pop();
    stream.pending.push(status);
    return null;
  }

  acknowledge(frameworkId: FrameworkId, taskId: TaskId, uuid: string, nowMs: number): Acknowledgement {
    const key = streamKey(frameworkId, taskId);
    const stream = this.streams.get(key);
    const status = stream?.pending[0];
    if (stream === undefined || status === undefined || status.uuid !== uuid) return { kind: 'ignored' };
    stream.pending.shift();
    const next = stream.pending[0] ?? null;
    if (next === null) this.streams.delete(key);
    else Object.assign(stream, this.sentAt(nowMs, this.retry.firstMs));
    return { kind: 'accepted', status, next };
  }

  /** The updates to be sent again now; each then waits twice as long. */
  due(nowMs: number): OutgoingUpdate[] {
    const due: OutgoingUpdate[] = [];
    for (const stream of this.streams.values()) {
      const status = stream.pending[0];
      if (status === undefined || stream.dueMs > nowMs) continue;
      Object.assign(stream, this.sentAt(nowMs, Math.min(stream.waitMs * 2, this.retry.maxMs)));
      due.push({ frameworkId: stream.frameworkId, status });
    }
    return due;
  }

  /** The oldest update of each task, to be sent to a master that has just accepted the agent; waits begin anew. */
  resume(nowMs: number): OutgoingUpdate[] {
    for (const stream of this.streams.values()) {
      stream.waitMs = this.retry.firstMs / 2;
      stream.dueMs = nowMs;
    }
    return this.due(nowMs);
  }

  /** When `due` will next have something to say, or null while nothing waits for an acknowledgement. */
  nextDueMs(): number | null {
    let next: number | null = null;
    for (const stream of this.streams.values()) next = Math.min(next ?? stream.dueMs, stream.dueMs);
    return next;
  }

  /** Whether something waits for this framework's acknowledgement. */
  has(frameworkId: FrameworkId): boolean {
    for (const stream of this.streams.values()) if (stream.frameworkId === frameworkId) return true;
    return false;
  }

  /** The framework is gone: nobody will acknowledge. */
  forgetFramework(frameworkId: FrameworkId): void {
    for (const [key, stream] of this.streams) if (stream.frameworkId === frameworkId) this.streams.delete(key);
  }

  clear(): void {
    this.streams.clear();
  }

  private sentAt(nowMs: number, waitMs: number): { waitMs: number; dueMs: number } {
    return { waitMs, dueMs: nowMs + waitMs };
  }
}

/** Ids cannot hold a slash (Mesos refuses it), so this is unambiguous. */
export function streamKey(frameworkId: FrameworkId, taskId: TaskId): string {
  return `${frameworkId}/${taskId}`;
}
