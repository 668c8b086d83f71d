/** The demo's five apps as a person would write them for Marathon. */

export interface DemoAppsOptions {
  /** Instances of the apps that have three; default 3. */
  readonly instances?: number;
  /** `GOB_DELAY_MS` of all of them. */
  readonly delayMs?: number;
  /** They may run on public agents too; without it on private ones only. */
  readonly acceptPublic?: boolean;
}

/** The fields that this project's own code reads, too. */
export interface DemoApp {
  readonly id: string;
  readonly instances: number;
  readonly [field: string]: unknown;
}

type Part = 'web' | 'gen' | 'word';

/** The edge router of public nodes serves it. */
const WEB_LABELS = { HAPROXY_GROUP: 'external', HAPROXY_0_VHOST: 'web.example.com' };

function app(
  demoUri: string,
  part: Part,
  variant: 'growthhack' | null,
  instances: number,
  { delayMs = 0, acceptPublic = false }: DemoAppsOptions,
): DemoApp {
  const id = variant === null ? `/${part}` : `/${part}-${variant}`;
  return {
    id,
    cmd: `exec node demo.mjs ${part}`,
    cpus: 0.02,
    mem: 32,
    instances,
    fetch: [{ uri: demoUri, extract: false, cache: true, destPath: 'demo.mjs' }],
    env: {
      ...(variant === null ? {} : { GOB_VARIANT: variant }),
      ...(delayMs > 0 ? { GOB_DELAY_MS: String(delayMs) } : {}),
    },
    labels: { demo: 'gob', part, ...(part === 'web' ? WEB_LABELS : {}) },
    portDefinitions: [
      { port: 0, protocol: 'tcp', name: 'http', ...(part === 'web' ? { labels: { VIP_0: '/web:80' } } : {}) },
    ],
    healthChecks: [
      {
        protocol: 'MESOS_HTTP',
        path: '/health',
        portIndex: 0,
        delaySeconds: 0,
        gracePeriodSeconds: 20,
        intervalSeconds: 1,
        timeoutSeconds: 5,
        // A busy machine that stalls everything for a moment is no reason to kill everything.
        maxConsecutiveFailures: 5,
      },
    ],
    backoffSeconds: 1,
    ...(acceptPublic ? { acceptedResourceRoles: ['*', 'slave_public'] } : {}),
    // A new instance for each old one before that goes: nothing is ever missing.
    upgradeStrategy: { minimumHealthCapacity: 1, maximumOverCapacity: 1 },
    taskKillGracePeriodSeconds: 3,
  };
}

/** `demoUri`: where an agent fetches demo.mjs. */
export function demoApps(demoUri: string, options: DemoAppsOptions = {}): DemoApp[] {
  const { instances = 3 } = options;
  return [
    app(demoUri, 'word', null, instances, options),
    app(demoUri, 'gen', null, instances, options),
    app(demoUri, 'web', null, 1, options),
    app(demoUri, 'word', 'growthhack', instances, options),
    app(demoUri, 'gen', 'growthhack', instances, options),
  ];
}
