/**
 * The miniature Marathon: a framework of the miniature master in the same process, with Marathon's HTTP API and event
 * stream on a socket of its own. A stand-in for tests and for one machine; it forgets everything when it stops.
 */
import { randomUUID } from 'node:crypto';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { userInfo } from 'node:os';
import type { FrameworkInfo } from '../../framework/mesos-http-client/messages.ts';
import type { LeaderDetector, SchedulerApi } from '../scheduler-link.ts';
import { AppService } from './app-service.ts';
import { EventStreams } from './event-stream.ts';
import { networkProbe, type Probe } from './health-checks.ts';
import { createHttpApi } from './http-api.ts';
import { infoView } from './info.ts';
import { Orchestrator } from './orchestrator.ts';
import { SchedulerSession } from './scheduler-session.ts';
import { createState, type MarathonState } from './state.ts';
import { type Random, systemTimers, type Timers } from './timers.ts';

const DEFAULT_PORT = 8080;
const FAILOVER_TIMEOUT_SECONDS = 7 * 24 * 3600;
/** As in DC/OS: apps run on private agents; those that ask for it, on the public ones. */
const ROLES = ['*', 'slave_public'];
const CAPABILITIES = ['MULTI_ROLE', 'RESERVATION_REFINEMENT', 'PARTITION_AWARE', 'TASK_KILLING_STATE'];

export interface MarathonOptions {
  /** Where the API listens. */
  readonly ip: string;
  /** Default 8080; 0 is any. */
  readonly port?: number;
  readonly leader: LeaderDetector<SchedulerApi>;
  /** Whom tasks run as, unless their app says otherwise; default: who runs this. */
  readonly user?: string;
  readonly timers?: Timers;
  readonly random?: Random;
  /** Unique names for instances and deployments. */
  readonly newId?: () => string;
  readonly probe?: Probe;
  /** What is worth a line in a log. */
  readonly log?: (message: string) => void;
}

export class Marathon {
  readonly #options: MarathonOptions;
  readonly #state: MarathonState;
  readonly #session: SchedulerSession;
  readonly #orchestrator: Orchestrator;
  readonly #streams: EventStreams;
  readonly #server: Server;
  #port: number;

  constructor(options: MarathonOptions) {
    this.#options = options;
    this.#port = options.port ?? DEFAULT_PORT;
    const timers = options.timers ?? systemTimers;
    this.#state = createState(timers, options.random ?? Math.random, options.newId ?? randomUUID);
    this.#session = new SchedulerSession({
      leader: options.leader,
      timers,
      frameworkInfo: () => this.#frameworkInfo(),
      onEvent: (event) => this.#orchestrator.onEvent(event),
      onDisconnected: () => this.#orchestrator.onDisconnected(),
      log: options.log ?? (() => undefined),
    });
    this.#orchestrator = new Orchestrator({
      state: this.#state,
      call: (body) => this.#session.call(body),
      probe: options.probe ?? networkProbe,
    });
    this.#streams = new EventStreams(this.#state.bus, timers);
    this.#server = createHttpApi({
      state: this.#state,
      apps: new AppService(this.#state, this.#orchestrator),
      streams: this.#streams,
      leader: () => this.#address(),
      info: () => infoView({ address: this.#address(), frameworkId: this.#session.frameworkId, user: this.#user() }),
    });
  }

  /** Without a trailing slash. */
  get url(): string {
    return `http://${this.#address()}`;
  }

  /** Listens, then subscribes. Rejects when the address is taken. */
  async start(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen({ host: this.#options.ip, port: this.#port }, () => {
        this.#server.off('error', reject);
        resolve();
      });
    });
    const bound = this.#server.address() as AddressInfo;
    this.#port = bound.port;
    this.#session.start();
  }

  /** Hangs up; tasks stay as they are. Never rejects, also when it was never started. */
  async stop(): Promise<void> {
    this.#session.stop();
    this.#orchestrator.stop();
    this.#streams.close();
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }

  /** The app (`/team/api`) that a task belongs to; null when it is none of Marathon's. */
  appOf(taskId: string): string | null {
    return this.#state.tracker.get(taskId)?.appId ?? null;
  }

  #address(): string {
    return `${this.#options.ip}:${this.#port}`;
  }

  #user(): string {
    return this.#options.user ?? userInfo().username;
  }

  #frameworkInfo(): FrameworkInfo {
    return {
      user: this.#user(),
      name: 'marathon',
      roles: ROLES,
      failover_timeout: FAILOVER_TIMEOUT_SECONDS,
      checkpoint: true,
      hostname: this.#options.ip,
      webui_url: this.url,
      capabilities: CAPABILITIES.map((type) => ({ type })),
    };
  }
}
