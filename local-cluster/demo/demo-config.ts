/** The demo app's configuration: its one argument, what Marathon puts into the environment, and `GOB_*`. */
import type { Manner } from './gob.ts';

export type Part = 'web' | 'gen' | 'word';

export interface DemoConfig {
  readonly part: Part;
  readonly manner: Manner;
  /** Where it listens. */
  readonly host: string;
  readonly port: number;
  /** The Marathon app id without its leading slash. */
  readonly app: string;
  readonly taskId: string;
  /** How long each answer waits. */
  readonly delayMs: number;
  /** The proxy of this node, for calls by name. */
  readonly proxy: { readonly host: string; readonly port: number };
  /** How long a call may take. */
  readonly timeoutMs: number;
  /** How long it still takes requests after SIGTERM: until the routers know that it goes. */
  readonly drainMs: number;
}

const PARTS: readonly Part[] = ['web', 'gen', 'word'];
const PROXY_PORT = 4140;

function whole(environment: NodeJS.ProcessEnv, name: string, fallback: number): number {
  const text = environment[name];
  if (text === undefined || text === '') return fallback;
  const value = Number(text);
  if (Number.isInteger(value) && value >= 0) return value;
  throw new Error(`${name} is '${text}'; it must be a whole number, 0 or more`);
}

/** Throws one sentence about what is wrong. */
export function readDemoConfig(args: readonly string[], environment: NodeJS.ProcessEnv): DemoConfig {
  const [name] = args;
  const part = PARTS.find((known) => known === name);
  if (part === undefined || args.length > 1) throw new Error('usage: demo.mjs web|gen|word');
  const manner = environment['GOB_VARIANT'] ?? 'plain';
  if (manner !== 'plain' && manner !== 'growthhack' && manner !== '') {
    throw new Error(`GOB_VARIANT is '${manner}'; it must be plain or growthhack`);
  }
  const host = environment['HOST'] ?? '127.0.0.1';
  return {
    part,
    manner: manner === 'growthhack' ? 'growthhack' : 'plain',
    host,
    port: whole(environment, 'PORT0', 0),
    app: (environment['MARATHON_APP_ID'] ?? `/${part}`).replace(/^\//, ''),
    taskId: environment['MESOS_TASK_ID'] ?? `${part}.local`,
    delayMs: whole(environment, 'GOB_DELAY_MS', 0),
    proxy: {
      host: environment['GOB_PROXY_HOST'] ?? host,
      port: whole(environment, 'GOB_PROXY_PORT', PROXY_PORT),
    },
    timeoutMs: whole(environment, 'GOB_TIMEOUT_MS', 5_000),
    drainMs: whole(environment, 'GOB_DRAIN_MS', 800),
  };
}
