/** What is compared: which keys an event has and of what type, and what is said in which order. Ids do not count. */
import type { EventWire, TaskStatus } from '../../../framework/mesos-http-client/messages.ts';

/** Every path of a value with the type at its end, sorted: `offers.offers[].hostname string`. */
export function shapeOf(values: readonly unknown[]): string[] {
  const paths = new Set<string>();
  const walk = (value: unknown, path: string): void => {
    if (Array.isArray(value)) {
      for (const element of value) walk(element, `${path}[]`);
      if (value.length === 0) paths.add(`${path} list`);
      else paths.delete(`${path} list`);
    } else if (typeof value === 'object' && value !== null) {
      for (const [key, inner] of Object.entries(value)) walk(inner, path === '' ? key : `${path}.${key}`);
    } else {
      paths.add(`${path} ${typeof value}`);
    }
  };
  for (const value of values) walk(value, '');
  return [...paths].sort();
}

/** Events of a kind have one shape; updates are of one kind by who says them and why. */
export function kindOf(event: EventWire): string {
  if (event.type !== 'UPDATE') return event.type;
  const { source, reason, state, uuid } = event.update.status as TaskStatus;
  return `UPDATE ${source} ${reason ?? '-'} ${state} ${uuid === undefined ? 'final' : 'wants ack'}`;
}

/** A status in one line, without ids and times. */
export function lineOf(status: TaskStatus): string {
  const { state, source, reason, message, healthy, uuid } = status;
  const parts = [state, source, reason ?? '-', `healthy=${healthy ?? '-'}`, uuid === undefined ? 'no uuid' : 'uuid'];
  return `${parts.join(' ')} ${anonymous(message ?? '')}`;
}

/** UUIDs, and the numbered ids that begin with one, made equal. */
export function anonymous(text: string): string {
  return text.replace(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}(-(O|S|)\d+)?/g, '<id>');
}

export function statusesOf(events: readonly EventWire[]): TaskStatus[] {
  return events.flatMap((event) => (event.type === 'UPDATE' ? [event.update.status as TaskStatus] : []));
}

/** For each task what was said of it, in order; an update that was only sent again may be left out. */
export function perTask(events: readonly EventWire[], collapseResent: boolean): Record<string, string[]> {
  const said: Record<string, string[]> = {};
  const seen = new Set<string>();
  for (const status of statusesOf(events)) {
    if (collapseResent && status.uuid !== undefined && seen.has(status.uuid)) continue;
    if (status.uuid !== undefined) seen.add(status.uuid);
    const lines = said[status.task_id.value] ?? [];
    lines.push(lineOf(status));
    said[status.task_id.value] = lines;
  }
  return said;
}

/**
 * What the master itself says, in order: everything but offers (when these come depends on timing) and heartbeats, and
 * updates that it only passes on. Answers to one RECONCILE come in any order: they are sorted.
 */
export function masterSequence(events: readonly EventWire[]): string[] {
  const sequence: string[] = [];
  let answers: string[] = [];
  const flush = (): void => {
    sequence.push(...answers.sort());
    answers = [];
  };
  for (const event of events) {
    if (['OFFERS', 'HEARTBEAT', 'RESCIND'].includes(event.type)) continue;
    if (event.type === 'UPDATE') {
      const status = event.update.status as TaskStatus;
      if (status.source !== 'SOURCE_MASTER') continue;
      const line = `${status.task_id.value}: ${lineOf(status)}`;
      if (status.reason === 'REASON_RECONCILIATION') answers.push(line);
      else {
        flush();
        sequence.push(line);
      }
      continue;
    }
    flush();
    sequence.push(event.type === 'ERROR' ? `ERROR ${event.error.message}` : event.type);
  }
  flush();
  return sequence;
}
