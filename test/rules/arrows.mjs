/**
 * Who may import what: the arrows of the design as data. A place is a file (`nodemesh.ts`), a folder with all below it
 * (`framework/`), or a file's name at any depth (two stars, a slash, the name). The first entry whose `from` holds a
 * file speaks for it, so the narrow places come before the wide ones. What its entry does not allow is forbidden; type
 * imports count as any other.
 */

/**
 * @typedef {object} Arrow
 * @property {string} from
 * @property {readonly string[]} may
 * @property {string} because one sentence for the person whose import is refused
 */

/** @type {readonly Arrow[]} */
export const ARROWS = [
  {
    from: 'nodemesh.ts',
    may: ['**/main.ts'],
    because: "the composition root knows each part's main.ts and nothing behind it",
  },
  {
    from: 'local-cluster/',
    may: ['local-cluster/', 'framework/mesos-http-client/messages.ts'],
    because:
      'the embedded cluster stands in for Mesos: of the rest it knows the wire types, and starts it as processes',
  },
  {
    from: 'scheduler/dashboard/',
    may: ['scheduler/dashboard/'],
    because: 'the dashboard runs in a browser and knows the rest by its HTTP API alone',
  },
  {
    from: 'scheduler/',
    may: ['scheduler/', 'framework/', 'agent-proxy/routing/', 'agent-proxy/control/', 'agent-proxy/config/'],
    because: 'the control plane knows the framework and, of the proxy, its control contract, routing and config',
  },
  {
    from: 'framework/mesos-http-client/',
    may: ['framework/mesos-http-client/'],
    because: 'the Mesos client could be published by itself, so it imports nothing of the project',
  },
  {
    from: 'framework/',
    may: ['framework/'],
    because: 'the framework speaks Mesos and ZooKeeper and knows nothing of proxies',
  },
  {
    from: 'agent-proxy/',
    may: ['agent-proxy/', 'framework/mesos-http-client/auth.ts', 'framework/mesos-http-client/auth/'],
    because: 'the data plane knows nothing of Mesos or the scheduler (but for the DC/OS login, the one exception)',
  },
  {
    from: 'dcos-package/build/load.cjs',
    may: [
      'dcos-package/build/',
      'test/setup/check.mjs',
      'test/setup/test.mjs',
      'test/bench/main.mjs',
      'test/fuzz/main.mjs',
      'test/bench/scheduler/main.mjs',
      'test/bench/control/main.mjs',
      'test/simulation/main.mjs',
      'test/mesos/main.mjs',
      'test/soak/main.mjs',
      'test/docs/main.mjs',
    ],
    because: 'the npm scripts start here, those of the tests too',
  },
  {
    from: 'dcos-package/',
    may: ['dcos-package/', 'scheduler/dashboard/build.mjs', 'scheduler/dashboard/build.d.mts'],
    because: 'the package is made of built files; its build calls the build of the dashboard',
  },
];

/**
 * Packages from the registry, in the same way. A package that is new to a place is a decision: make it here.
 *
 * @type {readonly Arrow[]}
 */
export const PACKAGES = [
  {
    from: 'framework/zookeeper/',
    may: [],
    because: "ZooKeeper's client is our own, on Node's core alone (docs/decisions/0016)",
  },
  {
    from: 'framework/',
    may: ['eventsource-parser', 'pino', 'undici', 'zod'],
    because: 'the framework does with few packages, and has a ZooKeeper client of its own',
  },
  {
    from: 'agent-proxy/routing/marathon-document.ts',
    may: ['zod'],
    because: "Marathon's documents are read when they change, never for a request",
  },
  {
    from: 'agent-proxy/config/',
    may: ['yaml', 'zod'],
    because: 'configuration is parsed and checked with these, and nothing else',
  },
  {
    from: 'agent-proxy/control/',
    may: ['yaml', 'zod'],
    because: 'what the scheduler sends is checked with these, and nothing else',
  },
  {
    from: 'agent-proxy/',
    may: [],
    because: "the proxy's data path is Node's core alone; only its config/ and control/ may use yaml and zod",
  },
  {
    from: 'scheduler/dashboard/build.mjs',
    may: ['esbuild'],
    because: 'it bundles the page and does nothing else',
  },
  {
    from: 'scheduler/dashboard/',
    may: ['@preact/signals', 'preact', 'uplot', 'zod'],
    because: 'each package here is sent to browsers',
  },
  {
    from: 'scheduler/',
    may: ['commander', 'eventsource-parser', 'express', 'pino', 'prom-client', 'undici', 'zod', 'yaml'],
    because: 'ZooKeeper is reached through the framework, and what is for browsers stays in the dashboard',
  },
  {
    from: 'local-cluster/demo/',
    may: [],
    because: 'the demo app is shipped to agents as one small file',
  },
  {
    from: 'local-cluster/',
    may: ['commander', 'eventsource-parser', 'express', 'undici', 'zod'],
    because: 'the embedded cluster needs an HTTP server, a client and the parsing of options',
  },
  {
    from: 'dcos-package/build/zip.mjs',
    may: ['yazl'],
    because: 'the DC/OS CLI takes plugins as zip files, and Node.js writes none',
  },
  {
    from: 'dcos-package/',
    may: ['esbuild'],
    because: 'the build has to work with little more than Node.js',
  },
  {
    from: 'nodemesh.ts',
    may: [],
    because: 'the composition root only finds a part and starts it',
  },
];
