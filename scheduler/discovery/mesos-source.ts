/**
 * The second source of discovery: follows Mesos' operator stream. It tells which services of other frameworks changed and
 * which of Marathon's tasks have ended, and it answers when somebody wants a second look. While the stream is down it keeps
 * what it had, and says that it does not know.
 */
import { setImmediate as pause } from 'node:timers/promises';
import type { Service } from '../../agent-proxy/control/contract.ts';
import { createOperator, type DownKind, type Operator } from '../../framework/mesos-http-client/index.ts';
import type { OperatorEvent } from '../../framework/mesos-http-client/messages.ts';
import type { SchedulerConfig } from '../config.ts';
import type { MasterAccess } from '../master-access.ts';
import type { Refusals } from '../permissions/refusals.ts';
import type { KnownFrameworks } from './mesos-frameworks.ts';
import { type MesosChange, MesosTable } from './mesos-table.ts';
import { MESOS_PREFIX } from './mesos-task.ts';
import type { SecondLook } from './second-look.ts';

/** No slice of the work on a snapshot takes longer. */
const SLICE_MS = 10;
/** So many services at a time are told as changed: a new table is large. */
const SERVICES_AT_A_TIME = 100;
/** And so many ends: each makes its service anew. */
const ENDS_AT_A_TIME = 20;

export interface MesosSourceLogger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

export interface MesosSourceHooks {
  /** Names of services that may be different now. */
  changed(names: readonly string[]): void;
  /** One of Marathon's tasks has ended: it can be taken out before Marathon says so. */
  taskEnded(taskId: string, agentId: string): void;
}

export interface MesosSourceOptions extends MesosSourceHooks {
  /** Mesos does not let us see what there is, and why; null: it does. */
  permission?(refusal: string | null): void;
  readonly access: MasterAccess;
  readonly known: KnownFrameworks;
  readonly logger: MesosSourceLogger;
}

export interface MesosCounters {
  /** By type. */
  readonly events: Readonly<Record<string, number>>;
  readonly connections: number;
  /** Tasks and frameworks of a snapshot that could not be read. */
  readonly unreadable: number;
  /** Ends of Marathon's tasks. */
  readonly ended: number;
}

/** What it has of the scheduler. */
interface MesosSourceParts {
  readonly config: Pick<SchedulerConfig, 'mesosDiscovery' | 'name' | 'marathons'>;
  readonly access: MasterAccess;
  readonly logger: MesosSourceLogger;
  readonly refusals: Pick<Refusals, 'mesos'>;
}

/** Null where it is turned off. */
export function openMesosSource(
  { config, access, logger, refusals }: MesosSourceParts,
  hooks: MesosSourceHooks,
): MesosSource | null {
  if (!config.mesosDiscovery) return null;
  const known = { ownName: config.name, marathons: config.marathons.map(({ url }) => url) };
  const permission = (refusal: string | null): void => refusals.mesos('VIEW', refusal);
  return new MesosSource({ access, known, logger, permission, ...hooks });
}

export class MesosSource implements SecondLook {
  readonly #options: MesosSourceOptions;
  readonly #operator: Operator;
  readonly #table: MesosTable;
  readonly #events = new Map<string, number>();
  /** What is to be told: services, and Marathon's tasks that have ended, with their agents. */
  readonly #dirty = new Set<string>();
  readonly #ended = new Map<string, string>();
  #counts = { connections: 0, unreadable: 0, ended: 0 };
  #flush: NodeJS.Immediate | undefined;
  /** Grows when a stream is lost: what was begun with it is given up. */
  #generation = 0;
  #connected = false;
  #complained = false;
  #stopped = false;

  constructor(options: MesosSourceOptions) {
    this.#options = options;
    this.#table = new MesosTable(options.known);
    this.#operator = createOperator({
      ...options.access,
      // Tasks that ended long ago are a large part of the state, and say nothing.
      wanted: ['agents', 'frameworks', 'tasks', 'completed-frameworks'],
      onEvent: (event) => this.#hear(event),
      onDown: (reason, wasSubscribed, kind) => this.#down(reason, wasSubscribed, kind),
    });
  }

  start(): void {
    this.#operator.open();
  }

  stop(): void {
    this.#stopped = true;
    this.#generation += 1;
    this.#connected = false;
    clearImmediate(this.#flush);
    this.#operator.close();
  }

  /** The stream is in place, and its snapshot taken over. */
  get connected(): boolean {
    return this.#connected;
  }

  /** Whether a service of this name is of this source. */
  owns(name: string): boolean {
    return name.startsWith(`#${MESOS_PREFIX}/`);
  }

  names(): string[] {
    return this.#table.names();
  }

  service(name: string): Service | undefined {
    return this.#table.service(name);
  }

  isGone(taskId: string, agentId: string): ReturnType<SecondLook['isGone']> {
    return this.#connected ? this.#table.look(taskId, agentId) : 'unknown';
  }

  counters(): MesosCounters {
    return { ...this.#counts, events: Object.fromEntries(this.#events) };
  }

  tasks(): Record<string, number> {
    return { ...this.#table.counts() };
  }

  async #hear(event: OperatorEvent): Promise<void> {
    this.#events.set(event.type, (this.#events.get(event.type) ?? 0) + 1);
    if (event.type !== 'SUBSCRIBED') return this.#told(this.#table.apply(event, Date.now()));
    const { unreadable } = event.subscribed;
    if (unreadable > 0) {
      this.#counts.unreadable += unreadable;
      this.#options.logger.warn({ unreadable }, 'some tasks or frameworks of Mesos cannot be read, and get no names');
    }
    const generation = this.#generation;
    const loading = this.#table.load(event.subscribed, Date.now());
    let sliceEnd = performance.now() + SLICE_MS;
    for (let step = loading.next(); generation === this.#generation; step = loading.next()) {
      if (step.done) {
        this.#connected = true;
        this.#options.permission?.(null);
        this.#complained = false;
        this.#counts.connections += 1;
        this.#options.logger.info({ ...this.#table.counts() }, 'the operator stream of Mesos is in place');
        return this.#told(step.value);
      }
      if (performance.now() < sliceEnd) continue;
      await pause();
      sliceEnd = performance.now() + SLICE_MS;
    }
  }

  #told({ services, ended }: MesosChange): void {
    for (const name of services) this.#dirty.add(name);
    for (const task of ended) this.#ended.set(task.taskId, task.agentId);
    this.#counts.ended += ended.length;
    this.#flushSoon();
  }

  /** Events come in bunches; what they change is told together. */
  #flushSoon(): void {
    if (this.#stopped || this.#dirty.size + this.#ended.size === 0) return;
    this.#flush ??= setImmediate(() => {
      this.#flush = undefined;
      for (const [taskId, agentId] of firstOf(this.#ended, ENDS_AT_A_TIME)) {
        this.#ended.delete(taskId);
        this.#options.taskEnded(taskId, agentId);
      }
      const names = firstOf(this.#dirty, SERVICES_AT_A_TIME);
      for (const name of names) this.#dirty.delete(name);
      if (names.length > 0) this.#options.changed(names);
      this.#flushSoon();
    });
  }

  #down(reason: string, wasSubscribed: boolean, kind: DownKind): void {
    this.#connected = false;
    this.#generation += 1;
    const { logger } = this.#options;
    if (kind === 'forbidden') this.#options.permission?.(reason);
    if (wasSubscribed) logger.warn({ reason }, 'the operator stream of Mesos is down; its services stay as they are');
    else if (this.#complained || kind === 'no-leader') logger.debug({ reason }, 'no operator stream of Mesos yet');
    else
      logger.warn(
        { reason },
        'Mesos gives no operator stream: services of other frameworks are not found; trying again',
      );
    this.#complained ||= !wasSubscribed && kind !== 'no-leader';
  }
}

function firstOf<T>(all: Iterable<T>, count: number): T[] {
  const first: T[] = [];
  for (const each of all) {
    if (first.length === count) break;
    first.push(each);
  }
  return first;
}
