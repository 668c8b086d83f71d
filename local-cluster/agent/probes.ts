/**
 * One look at a task's health over HTTP, TCP or by a command. Mesos looks at 127.0.0.1 in the task's own network
 * namespace; here all agents share one, so HTTP and TCP look at the agent's address. HTTP keeps its connections: sixty
 * tasks looked at each second must cost next to nothing.
 */
import { type ClientRequest, Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { connect } from 'node:net';
import type { HealthCheck } from '../../framework/mesos-http-client/messages.ts';
import { exitOf, signalGroup, spawnGroup } from './process-group.ts';

export interface ProbeTarget {
  readonly ip: string;
  /** Of COMMAND checks. */
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
}

export class Prober {
  private readonly http = new HttpAgent({ keepAlive: true, maxFreeSockets: 2 });
  private readonly https = new HttpsAgent({ keepAlive: true, maxFreeSockets: 2, rejectUnauthorized: false });

  /** Whether the task is healthy at this moment; rejects when the check makes no sense. `timeoutMs` 0 means without limit. */
  probe(check: HealthCheck, target: ProbeTarget, timeoutMs: number, signal: AbortSignal): Promise<boolean> {
    switch (check.type) {
      case 'HTTP':
        return this.probeHttp(check.http ?? { port: 0 }, target.ip, timeoutMs, signal);
      case 'TCP':
        return probeTcp(check.tcp?.port ?? 0, target.ip, timeoutMs, signal);
      case 'COMMAND':
        return probeCommand(check, target, timeoutMs, signal);
    }
  }

  close(): void {
    this.http.destroy();
    this.https.destroy();
  }

  /** A status from 200 to 399 is healthy, as in Mesos' built-in executors; redirects are not followed. */
  private async probeHttp(
    check: { scheme?: string; port: number; path?: string },
    ip: string,
    timeoutMs: number,
    signal: AbortSignal,
  ): Promise<boolean> {
    const secure = check.scheme === 'https';
    const ask = (): ClientRequest => {
      const options = { host: ip, port: check.port, path: check.path ?? '/', headers: { Accept: '*/*' } };
      return secure ? httpsRequest({ ...options, agent: this.https }) : httpRequest({ ...options, agent: this.http });
    };
    const first = await outcome(ask(), timeoutMs, signal);
    // A kept connection may have been closed by the task just as we used it: that says nothing about its health.
    const status = first === 'stale' ? await outcome(ask(), timeoutMs, signal) : first;
    return typeof status === 'number' && status >= 200 && status < 400;
  }
}

type HttpOutcome = number | 'stale' | 'failed';

function outcome(request: ClientRequest, timeoutMs: number, signal: AbortSignal): Promise<HttpOutcome> {
  return new Promise((resolve) => {
    // The first call counts: a look that we broke off ourselves is failed, not stale.
    const end = (result: HttpOutcome): void => {
      resolve(result);
      request.destroy();
    };
    const abort = (): void => end('failed');
    const timer = timeoutMs > 0 ? setTimeout(abort, timeoutMs) : null;
    signal.addEventListener('abort', abort, { once: true });
    request.once('response', (response: IncomingMessage) => {
      response.on('error', abort);
      response.resume();
      resolve(response.statusCode ?? 'failed');
    });
    request.on('error', () => resolve(request.reusedSocket ? 'stale' : 'failed'));
    request.once('close', () => {
      if (timer !== null) clearTimeout(timer);
      signal.removeEventListener('abort', abort);
      resolve('failed');
    });
    if (signal.aborted) abort();
    else request.end();
  });
}

function probeTcp(port: number, host: string, timeoutMs: number, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const end = (healthy: boolean): void => {
      if (timer !== null) clearTimeout(timer);
      signal.removeEventListener('abort', abort);
      socket.destroy();
      resolve(healthy);
    };
    const abort = (): void => end(false);
    const timer = timeoutMs > 0 ? setTimeout(abort, timeoutMs) : null;
    signal.addEventListener('abort', abort, { once: true });
    socket.once('connect', () => end(true));
    socket.on('error', () => end(false));
  });
}

async function probeCommand(
  check: HealthCheck,
  target: ProbeTarget,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<boolean> {
  if (signal.aborted) return false;
  const extra = check.command?.environment?.variables ?? [];
  const env = { ...target.env, ...Object.fromEntries(extra.map(({ name, value }) => [name, value])) };
  const child = spawnGroup(check.command ?? {}, { cwd: target.cwd, env, stdout: 'ignore', stderr: 'ignore' });
  const { pid } = child;
  const end = (): void => {
    if (pid !== undefined) signalGroup(pid, 'SIGKILL');
  };
  const timer = timeoutMs > 0 ? setTimeout(end, timeoutMs) : null;
  signal.addEventListener('abort', end, { once: true });
  const exit = await exitOf(child);
  if (timer !== null) clearTimeout(timer);
  signal.removeEventListener('abort', end);
  end();
  return exit.code === 0;
}
