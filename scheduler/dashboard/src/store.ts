/** The page's live state: what the scheduler said last, in signals, and the pollers that keep it fresh. */
import { computed, type ReadonlySignal, signal } from '@preact/signals';
import {
  frameworkIdAnswerSchema,
  frameworkIdOf,
  type HealthAnswer,
  healthAnswerSchema,
  type NodeAnswer,
  nodesAnswerSchema,
  readAnswer,
  type ServiceAnswer,
  servicesAnswerSchema,
  standbyAnswerSchema,
  type TrafficAnswer,
  trafficAnswerSchema,
} from './model/answers.ts';
import { type Connection, connectionOf, type FeedStatus, staleSince } from './model/connection.ts';
import { addPoint, type Point } from './model/history.ts';
import { Poller, type Timers } from './model/poller.ts';
import { keepUnchanged, type NodeRow, nodeRows, type ServiceRow, serviceRows } from './model/rows.ts';
import { type MeshTraffic, meshTraffic, type Summary, summarise } from './model/summary.ts';

const INTERVAL_MS = 1_000;
/** The framework's id never changes once there is one. */
const KNOWN_IDENTITY_INTERVAL_MS = 30_000;
const TIMEOUT_MS = 5_000;
const MAX_BACKOFF_MS = 5_000;
/** The Date header counts whole seconds and travels: a smaller difference is none. */
const CLOCK_TOLERANCE_MS = 2_000;

export interface Store {
  /** Null until the first answer. */
  readonly nodes: ReadonlySignal<readonly NodeRow[] | null>;
  readonly services: ReadonlySignal<readonly ServiceRow[] | null>;
  readonly summary: ReadonlySignal<Summary>;
  readonly traffic: ReadonlySignal<MeshTraffic | null>;
  readonly windowMs: ReadonlySignal<number>;
  readonly history: ReadonlySignal<readonly Point[]>;
  readonly health: ReadonlySignal<HealthAnswer | null>;
  readonly frameworkId: ReadonlySignal<string | null>;
  readonly connection: ReadonlySignal<Connection>;
  /** What is shown although its last request failed. */
  readonly stale: Readonly<Record<'nodes' | 'services' | 'traffic' | 'health', ReadonlySignal<boolean>>>;
  /** The scheduler's time of day, by the second, epoch milliseconds; it stands still while the nodes are stale. */
  readonly now: ReadonlySignal<number>;
  start(): void;
  /** Nobody looks: no requests until `start`. */
  pause(): void;
  /** The network is back: what waits because of failures asks at once. */
  nudge(): void;
}

const timers: Timers = {
  after(milliseconds, then) {
    const timer = setTimeout(then, milliseconds);
    return () => clearTimeout(timer);
  },
  now: () => Date.now(),
};

interface FeedOptions<T> {
  intervalMs?(known: T | null): number;
  readonly lasting?: boolean;
  /** What stands for the answer of a scheduler that does not lead. */
  readonly standby?: T;
}

interface Feed<T> {
  readonly value: ReadonlySignal<T | null>;
  /** The time of the last answer when it is old, else null. */
  readonly staleSince: ReadonlySignal<number | null>;
}

export function createStore(): Store {
  const skewMs = signal(0);
  const tick = signal(Date.now());
  const pollers: Poller<unknown>[] = [];
  const feeds: ReadonlySignal<FeedStatus>[] = [];
  let ticking: ReturnType<typeof setInterval> | null = null;

  const nudge = () => {
    for (const poller of pollers) poller.nudge();
  };

  /** One thing that is asked for again and again, by a path relative to the page. */
  function feed<T>(
    path: string,
    parse: (body: unknown) => T,
    { intervalMs = () => INTERVAL_MS, lasting = false, standby }: FeedOptions<T> = {},
  ): Feed<T> {
    const value = signal<T | null>(null);
    const status = signal<FeedStatus>({ path, goodAt: null, failure: null, lasting });
    feeds.push(status);
    pollers.push(
      new Poller<unknown>({
        intervalMs: () => intervalMs(value.peek()),
        timeoutMs: TIMEOUT_MS,
        maxBackoffMs: MAX_BACKOFF_MS,
        timers,
        load: async (abort) => {
          const response = await fetch(path, {
            signal: abort,
            cache: 'no-store',
            headers: { accept: 'application/json' },
          });
          if (standby !== undefined && response.status === 503 && (await isOfStandby(response))) return standby;
          if (!response.ok) throw new Error(`answered ${response.status} ${response.statusText}`.trim());
          noteClock(response.headers.get('date'));
          return parse(await response.json());
        },
        onValue: (answer) => {
          const wasFailing = status.value.failure !== null;
          value.value = answer as T;
          status.value = { path, goodAt: Date.now(), failure: null, lasting };
          if (wasFailing) nudge();
        },
        onFailure: (error) => {
          status.value = { ...status.value, failure: sentenceOf(error) };
        },
      }),
    );
    return { value, staleSince: computed(() => staleSince(status.value)) };
  }

  function noteClock(date: string | null): void {
    const difference = date === null ? 0 : Date.parse(date) - Date.now();
    if (Number.isFinite(difference)) skewMs.value = Math.abs(difference) > CLOCK_TOLERANCE_MS ? difference : 0;
  }

  const nodes = feed<readonly NodeAnswer[]>('v1/nodes', (body) => readAnswer(nodesAnswerSchema, 'v1/nodes', body), {
    standby: [],
  });
  const services = feed<readonly ServiceAnswer[]>(
    'v1/services',
    (body) => readAnswer(servicesAnswerSchema, 'v1/services', body),
    { standby: [] },
  );
  const history = signal<readonly Point[]>([]);
  const traffic = feed<TrafficAnswer>(
    'v1/traffic',
    (body) => {
      const answer = readAnswer(trafficAnswerSchema, 'v1/traffic', body);
      history.value = addPoint(history.value, { at: Date.now(), traffic: meshTraffic(answer) });
      return answer;
    },
    { standby: { windowMs: 0, nodes: [], services: [] } },
  );
  const health = feed<HealthAnswer>('v1/health', (body) => readAnswer(healthAnswerSchema, 'v1/health', body));
  const frameworkId = feed<string | null>(
    'v1/state/frameworkId',
    (body) => frameworkIdOf(readAnswer(frameworkIdAnswerSchema, 'v1/state/frameworkId', body)),
    {
      intervalMs: (known) => (known === null ? INTERVAL_MS : KNOWN_IDENTITY_INTERVAL_MS),
      lasting: true,
      standby: null,
    },
  );

  // Rows keep their identity while they say the same: what is drawn of them is not drawn again.
  let lastNodeRows: readonly NodeRow[] = [];
  const nodeTable = computed(() => {
    if (nodes.value.value === null) return null;
    lastNodeRows = keepUnchanged(lastNodeRows, nodeRows(nodes.value.value, traffic.value.value));
    return lastNodeRows;
  });
  let lastServiceRows: readonly ServiceRow[] = [];
  const serviceTable = computed(() => {
    if (services.value.value === null) return null;
    const rows = serviceRows(services.value.value, traffic.value.value, nodes.value.value ?? []);
    lastServiceRows = keepUnchanged(lastServiceRows, rows);
    return lastServiceRows;
  });

  return {
    nodes: nodeTable,
    services: serviceTable,
    summary: computed(() => summarise(nodeTable.value ?? [], serviceTable.value ?? [])),
    traffic: computed(() => (traffic.value.value === null ? null : meshTraffic(traffic.value.value))),
    // A standby has no figures and no window.
    windowMs: computed(() => traffic.value.value?.windowMs || 10_000),
    history,
    health: health.value,
    frameworkId: frameworkId.value,
    connection: computed(() => connectionOf(feeds.map((status) => status.value))),
    stale: {
      nodes: computed(() => nodes.staleSince.value !== null),
      services: computed(() => services.staleSince.value !== null),
      traffic: computed(() => traffic.staleSince.value !== null),
      health: computed(() => health.staleSince.value !== null),
    },
    now: computed(() => (nodes.staleSince.value ?? tick.value) + skewMs.value),
    start() {
      tick.value = Date.now();
      ticking ??= setInterval(() => {
        tick.value = Date.now();
      }, 1_000);
      for (const poller of pollers) poller.start();
    },
    pause() {
      if (ticking !== null) clearInterval(ticking);
      ticking = null;
      for (const poller of pollers) poller.pause();
    },
    nudge,
  };
}

async function isOfStandby(response: Response): Promise<boolean> {
  // Of a copy: who goes on may want the body.
  const body: unknown = await response
    .clone()
    .json()
    .catch(() => null);
  return standbyAnswerSchema.safeParse(body).success;
}

/** Why a request failed, in a few words. Browsers say no more than "failed to fetch" of a refused connection. */
function sentenceOf(error: unknown): string {
  if (error instanceof TypeError) return 'no connection';
  if (error instanceof SyntaxError) return 'the answer is no JSON';
  return error instanceof Error ? error.message : String(error);
}
