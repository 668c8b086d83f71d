/** The pages of the admin server: what there is, who may use it, and what answers. */
import { CONTROL_ANNOUNCE_PATH } from '../control/wire-words.ts';
import { announce } from './announce.ts';
import { delegator } from './delegator.ts';
import type { AdminExchange } from './exchange.ts';
import type { AdminHost } from './host.ts';
import { indexPage, recentRequestsPage } from './html.ts';
import { jsonPieces } from './json-pieces.ts';
import { logging } from './logging.ts';
import { maskSecrets } from './mask.ts';
import { MAX_PROFILE_SECONDS, Profiler } from './profiler.ts';

export interface Route {
  /** The path; where it ends in `/*`, all below it, which is what the page is about. */
  readonly path: string;
  readonly methods: readonly ('GET' | 'POST')[];
  readonly summary: string;
  /** For everybody, off loopback too: monitoring has no token. */
  readonly isOpen?: boolean;
  /** Part of the mesh's own contract, which linkerd's `security` block knows nothing of. */
  readonly isContract?: true;
  readonly handle: (exchange: AdminExchange) => void | Promise<void>;
}

export interface RouteOptions {
  /** Where Prometheus finds its metrics. */
  readonly prometheusPath: string;
  /** How long a namer or an address is waited for. */
  readonly delegateTimeoutMs: number;
}

const DEFAULT_PROFILE_SECONDS = 10;

export function routesOf(host: AdminHost, options: RouteOptions): readonly Route[] {
  const index = (exchange: AdminExchange): void => {
    const listed = routes.flatMap(({ path, methods, summary }) => methods.map((method) => ({ path, method, summary })));
    exchange.html(200, indexPage(listed));
  };
  const routes: readonly Route[] = [
    { path: '/', methods: ['GET'], summary: 'this page', handle: index },
    { path: '/admin', methods: ['GET'], summary: 'this page', handle: index },
    { path: '/help', methods: ['GET'], summary: 'this page', handle: index },
    ...monitoring(host, options),
    ...routing(host, options),
    ...diagnostics(host),
    ...control(host),
  ];
  return routes;
}

function monitoring(host: AdminHost, { prometheusPath }: RouteOptions): Route[] {
  const metricsSummary =
    'metrics as one flat object; ?tree=true objects in objects, ?q=rt/outgoing a part, ?pretty=true';
  const metrics = (exchange: AdminExchange): Promise<void> => metricsJson(host, exchange);
  return [
    {
      path: '/admin/ping',
      methods: ['GET'],
      summary: 'pong',
      isOpen: true,
      handle: (exchange) => exchange.text(200, 'pong'),
    },
    {
      path: '/admin/ready',
      methods: ['GET'],
      summary: '200 when the proxy takes traffic, else 503 and why',
      isOpen: true,
      handle(exchange) {
        const why = host.notReady();
        exchange.text(why === null ? 200 : 503, why ?? 'ready');
      },
    },
    {
      path: prometheusPath,
      methods: ['GET'],
      summary: 'metrics for Prometheus',
      isOpen: true,
      handle: (exchange) => exchange.stream('text/plain; version=0.0.4', host.prometheus()),
    },
    { path: '/admin/metrics.json', methods: ['GET'], summary: metricsSummary, isOpen: true, handle: metrics },
    { path: '/metrics.json', methods: ['GET'], summary: 'the same', isOpen: true, handle: metrics },
  ];
}

function routing(host: AdminHost, { delegateTimeoutMs }: RouteOptions): Route[] {
  return [
    {
      path: '/config.json',
      methods: ['GET'],
      summary: 'the effective configuration, without secrets',
      handle: (exchange) => exchange.json(200, maskSecrets(host.config())),
    },
    {
      path: '/delegator.json',
      methods: ['GET', 'POST'],
      summary: 'how a name is rewritten: ?path=/svc/web&dtab=…&router=…, or the same as JSON',
      handle: (exchange) => delegator(host, exchange, delegateTimeoutMs),
    },
    {
      path: '/bound-names.json',
      methods: ['GET'],
      summary: 'the names that namers can list',
      handle: async (exchange) => exchange.json(200, await host.boundNames()),
    },
    {
      path: '/client_state.json',
      methods: ['GET'],
      summary: 'the endpoints of each client, their load and whether they are marked dead',
      handle: (exchange) => exchange.streamJson(jsonPieces(host.clientState(), () => performance.now())),
    },
    {
      path: '/namer_state/*',
      methods: ['GET'],
      summary: 'what a namer last heard: /namer_state/io.l5d.marathon.json',
      handle: (exchange) => state(exchange, 'namer', (name) => host.namerState(name)),
    },
    {
      path: '/interpreter_state/*',
      methods: ['GET'],
      summary: 'what names of a router are bound by: /interpreter_state/<router>.json',
      handle: (exchange) => state(exchange, 'interpreter', (name) => host.interpreterState(name)),
    },
    {
      path: '/admin/table',
      methods: ['GET'],
      summary: 'the services and agents that this proxy knows',
      handle: (exchange) => exchange.streamJson(host.table()),
    },
  ];
}

function diagnostics(host: AdminHost): Route[] {
  const profiler = new Profiler();
  return [
    {
      path: '/requests',
      methods: ['GET'],
      summary: 'the last requests, where the telemeter io.l5d.recentRequests keeps them',
      async handle(exchange) {
        const requests = await host.recentRequests();
        if (requests === null) exchange.text(404, 'no telemeter io.l5d.recentRequests is configured');
        else exchange.html(200, recentRequestsPage(requests));
      },
    },
    {
      path: '/server_info',
      methods: ['GET'],
      summary: 'version, process, uptime',
      handle: (exchange) => exchange.json(200, host.serverInfo()),
    },
    {
      path: '/admin/pprof/profile',
      methods: ['GET'],
      summary: `a CPU profile for developer tools, of ?seconds=${DEFAULT_PROFILE_SECONDS}; it slows the proxy down`,
      handle: (exchange) => profile(profiler, exchange),
    },
  ];
}

function control(host: AdminHost): Route[] {
  return [
    {
      path: '/logging.json',
      methods: ['GET', 'POST'],
      summary: 'the levels of the loggers; POST logger and level sets one',
      handle: (exchange) => logging(host, exchange),
    },
    {
      path: '/admin/shutdown',
      methods: ['POST'],
      summary: 'finish what is in flight and exit',
      handle(exchange) {
        exchange.onSent(() => host.shutdown());
        exchange.text(202, 'shutting down');
      },
    },
    {
      path: CONTROL_ANNOUNCE_PATH,
      methods: ['POST'],
      summary: 'a scheduler says where it is',
      isContract: true,
      // It asks for its own proof then.
      isOpen: host.isOurScheduler !== null,
      handle: (exchange) => announce(host, exchange),
    },
  ];
}

async function metricsJson(host: AdminHost, exchange: AdminExchange): Promise<void> {
  const subtree = exchange.query.get('q') ?? '';
  const query = { subtree, tree: exchange.isSet('tree'), pretty: exchange.isSet('pretty') };
  const pieces = await host.metricsJson(query);
  if (pieces === null) exchange.json(404, { error: `there is no subtree ${subtree}` });
  else await exchange.streamJson(pieces);
}

function state(exchange: AdminExchange, what: string, read: (name: string) => unknown): void {
  const [, name = ''] = /^\/[a-z_]+\/(.*?)(?:\.json)?$/.exec(exchange.path) ?? [];
  const shown = read(decoded(name));
  if (shown === null || shown === undefined) exchange.json(404, { error: `there is no ${what} ${name}` });
  else exchange.json(200, maskSecrets(shown));
}

async function profile(profiler: Profiler, exchange: AdminExchange): Promise<void> {
  const seconds = Number(exchange.query.get('seconds') ?? DEFAULT_PROFILE_SECONDS);
  if (!(seconds > 0 && seconds <= MAX_PROFILE_SECONDS)) {
    exchange.text(400, `seconds has to be above 0 and at most ${MAX_PROFILE_SECONDS}`);
    return;
  }
  const taken = await profiler.profile(seconds);
  if (taken === null) {
    exchange.text(409, 'another profile is being taken; try again when it is done');
    return;
  }
  exchange.header('Content-Disposition', 'attachment; filename="nodemesh.cpuprofile"');
  exchange.send(200, 'application/json', taken);
}

/** A path's text without its percent signs, or as it is where they mean nothing. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // Not encoded at all: then the name is what it says, and most likely not there.
    return text;
  }
}
