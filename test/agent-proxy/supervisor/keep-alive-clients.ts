/** Clients that are always at work, each on a connection that it keeps, and what went wrong for them. */
import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

export interface Clients {
  readonly answered: () => number;
  /** Sends nothing more; resolves with all that went wrong when the last answer is there. */
  stop(): Promise<string[]>;
}

/** `pauseMs`: how long each thinks between two requests. */
export function startClients(url: string, host: string, count: number, pauseMs: number): Clients {
  const agent = new Agent({ keepAlive: true, maxSockets: count });
  const failures: string[] = [];
  let answered = 0;
  let isOver = false;
  const one = async (): Promise<void> => {
    while (!isOver) {
      try {
        const { status, why } = await ask(url, host, agent);
        if (status === 200) answered += 1;
        else failures.push(`status ${status}${why}`);
      } catch (error) {
        failures.push(error instanceof Error ? error.message : String(error));
      }
      await sleep(pauseMs);
    }
  };
  const all = Promise.all(Array.from({ length: count }, one));
  return {
    answered: () => answered,
    async stop() {
      isOver = true;
      await all;
      agent.destroy();
      return failures;
    },
  };
}

function ask(url: string, host: string, agent: Agent): Promise<{ status: number; why: string }> {
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { headers: { Host: host }, agent, timeout: 10_000 }, (response) => {
      response.resume();
      response.on('error', reject);
      const { 'l5d-err': err } = response.headers;
      response.on('end', () => resolve({ status: response.statusCode ?? 0, why: err === undefined ? '' : `: ${err}` }));
    });
    outgoing.on('timeout', () => outgoing.destroy(new Error('no answer in 10 s')));
    outgoing.on('error', reject);
    outgoing.end();
  });
}
