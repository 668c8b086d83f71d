/**
 * The health checks that Marathon runs itself (HTTP, HTTPS, TCP): one probe at a time for each check of each instance,
 * soon after it began to run and then at the check's interval. What a result means is decided by whoever gets it.
 */
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { connect } from 'node:net';
import { type HealthCheckSpec, isMesosCheck } from './app-spec.ts';
import type { Instance } from './instance.ts';
import { checkPort } from './task-builder.ts';
import type { TimerHandle, Timers } from './timers.ts';

/** Null when alive, else why not. Never throws. */
export type Probe = (check: HealthCheckSpec, host: string, port: number) => Promise<string | null>;

/** Marathon's own checks have no delay of their own: the first comes after an interval, or after this where that is long. */
const FIRST_CHECK_SECONDS = 3;

interface Watch {
  timer: TimerHandle;
  stopped: boolean;
}

function tcpProbe(host: string, port: number, timeoutMs: number): Promise<string | null> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: timeoutMs });
    const done = (cause: string | null) => {
      socket.destroy();
      resolve(cause);
    };
    socket.on('connect', () => done(null));
    socket.on('timeout', () => done(`TCP connection to ${host}:${port} timed out after ${timeoutMs} ms`));
    socket.on('error', (error) => done(error.message));
  });
}

function httpProbe(check: HealthCheckSpec, host: string, port: number, timeoutMs: number): Promise<string | null> {
  const secure = check.protocol === 'HTTPS';
  // Marathon asks whether the service answers, not whether its certificate is good.
  const options = {
    host,
    port,
    path: check.path ?? '/',
    method: 'GET',
    agent: false,
    rejectUnauthorized: false,
  } as const;
  return new Promise((resolve) => {
    const request = (secure ? httpsRequest : httpRequest)(options, (response) => {
      response.resume();
      response.on('error', () => {
        // The status is all that counts; a body that breaks off changes nothing.
      });
      const status = response.statusCode ?? 0;
      clearTimeout(timer);
      resolve(status >= 200 && status < 400 ? null : `${check.protocol} GET ${check.path ?? '/'} answered ${status}`);
      request.destroy();
    });
    const timer = setTimeout(() => request.destroy(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
    request.on('error', (error) => {
      clearTimeout(timer);
      resolve(error.message);
    });
    request.end();
  });
}

/** Probe over the network. */
export const networkProbe: Probe = (check, host, port) => {
  const timeoutMs = Math.max(1, Math.round(check.timeoutSeconds * 1000));
  return check.protocol === 'TCP' ? tcpProbe(host, port, timeoutMs) : httpProbe(check, host, port, timeoutMs);
};

export class HealthChecks {
  readonly #timers: Timers;
  readonly #probe: Probe;
  readonly #onResult: (taskId: string, index: number, cause: string | null) => void;
  readonly #watches = new Map<string, Watch[]>();

  constructor(timers: Timers, probe: Probe, onResult: (taskId: string, index: number, cause: string | null) => void) {
    this.#timers = timers;
    this.#probe = probe;
    this.#onResult = onResult;
  }

  /** Watch an instance that began to run; once is enough. */
  watch(instance: Instance): void {
    if (this.#watches.has(instance.taskId)) return;
    const watches: Watch[] = [];
    instance.spec.healthChecks.forEach((check, index) => {
      const port = checkPort(check, instance.ports);
      if (isMesosCheck(check) || port === null) return;
      const watch: Watch = { timer: null, stopped: false };
      watches.push(watch);
      const host = instance.ipAddresses[0]?.ipAddress ?? instance.host;
      const again = (seconds: number) => {
        watch.timer = this.#timers.setTimeout(() => void run(), Math.max(10, seconds * 1000));
      };
      const run = async () => {
        const cause = await this.#probe(check, host, port);
        if (watch.stopped) return;
        again(check.intervalSeconds);
        this.#onResult(instance.taskId, index, cause);
      };
      again(Math.min(check.intervalSeconds, FIRST_CHECK_SECONDS));
    });
    if (watches.length > 0) this.#watches.set(instance.taskId, watches);
  }

  forget(taskId: string): void {
    for (const watch of this.#watches.get(taskId) ?? []) {
      watch.stopped = true;
      this.#timers.clearTimeout(watch.timer);
    }
    this.#watches.delete(taskId);
  }

  stop(): void {
    for (const taskId of [...this.#watches.keys()]) this.forget(taskId);
  }
}
