/**
 * The words of the `nodemesh` command: what each is for, and the part that does it. The composition root starts them, and the
 * reference of the command line (docs/commands.md) lists them.
 */

interface MainContext {
  readonly version: string;
  /** The directory of the built files. */
  readonly dist: string;
  /** Arguments after the Node binary that run the same command again. */
  readonly relaunch: readonly string[];
}

interface Part {
  main(args: readonly string[], context: MainContext): Promise<void>;
}

interface Command {
  readonly summary: string;
  /** What the part's `main` gets to see in front of the command's own words. */
  readonly prefix: readonly string[];
  load(): Promise<Part>;
}

// Loaded when they are needed: a proxy starts without the code of the scheduler, and so on.
export const COMMANDS: Readonly<Record<string, Command>> = {
  local: {
    summary: 'run a whole mesh on this machine: Mesos and Marathon in miniature, proxies, a demo',
    prefix: [],
    load: () => import('./local-cluster/main.ts'),
  },
  scheduler: {
    summary: 'the control plane: a Mesos framework that keeps one proxy on every agent',
    prefix: [],
    load: () => import('./scheduler/main.ts'),
  },
  proxy: { summary: 'the proxy of one node', prefix: [], load: () => import('./agent-proxy/main.ts') },
  status: {
    summary: 'say how the whole mesh is, on one screen',
    prefix: ['status'],
    load: () => import('./scheduler/cli/main.ts'),
  },
  nodes: {
    summary: 'list the nodes and the state of their proxies',
    prefix: ['nodes'],
    load: () => import('./scheduler/cli/main.ts'),
  },
  services: {
    summary: 'list the services and their instances',
    prefix: ['services'],
    load: () => import('./scheduler/cli/main.ts'),
  },
  why: {
    summary: 'say how the proxy of a node is, and why it is not healthy',
    prefix: ['why'],
    load: () => import('./scheduler/cli/main.ts'),
  },
  plan: {
    summary: 'show what the scheduler is doing, and steer it',
    prefix: ['plan'],
    load: () => import('./scheduler/cli/main.ts'),
  },
  config: {
    summary: 'show the configuration of the proxies, and roll out another one that is turned back where it does harm',
    prefix: ['config'],
    load: () => import('./scheduler/cli/main.ts'),
  },
  dtab: {
    summary: 'show and change how names are routed: the namespaces of dtabs, and the way back',
    prefix: ['dtab'],
    load: () => import('./scheduler/cli/main.ts'),
  },
  bind: {
    summary: 'say which instances a name leads to',
    prefix: ['bind'],
    load: () => import('./scheduler/cli/main.ts'),
  },
  delegate: {
    summary: 'show step by step how a name is rewritten',
    prefix: ['delegate'],
    load: () => import('./scheduler/cli/main.ts'),
  },
  shift: {
    summary: "send an app's requests elsewhere, step by step, and back by itself where that does harm",
    prefix: ['shift'],
    load: () => import('./scheduler/cli/main.ts'),
  },
  audit: {
    summary: 'list who changed what',
    prefix: ['audit'],
    load: () => import('./scheduler/cli/main.ts'),
  },
  freeze: {
    summary: 'stop every change that the mesh makes by itself, but repair',
    prefix: ['freeze'],
    load: () => import('./scheduler/cli/main.ts'),
  },
  permissions: {
    summary: 'print what to grant on Enterprise DC/OS, as commands',
    prefix: ['permissions'],
    load: () => import('./scheduler/cli/main.ts'),
  },
  'dcos-plugin': {
    summary: 'what the DC/OS CLI runs for dcos nodemesh …',
    prefix: [],
    load: () => import('./scheduler/cli/dcos/main.ts'),
  },
  thaw: { summary: 'end a freeze', prefix: ['thaw'], load: () => import('./scheduler/cli/main.ts') },
};
