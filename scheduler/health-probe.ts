/**
 * A second opinion on proxies whose control stream is gone: does anything answer at their address? A stream may be gone for
 * reasons of the network or of this scheduler; only a proxy that is silent both ways is taken for dead.
 */
import { Agent, request } from 'undici';

const EVERY_MS = 5_000;
const TIMEOUT_MS = 2_000;
const AT_A_TIME = 16;

export interface ProbeTarget {
  readonly agentId: string;
  readonly taskId: string;
  readonly ip: string;
  readonly adminPort: number;
}

export interface HealthProbeOptions {
  /** Asked for at each round: those that are to be probed. */
  targets(): readonly ProbeTarget[];
  told(target: ProbeTarget, alive: boolean): void;
  /** Between rounds. Five seconds unless said otherwise. */
  readonly everyMs?: number;
}

export class HealthProbe {
  readonly #options: HealthProbeOptions;
  // A connection for each probe: one that is kept would tell of the past.
  readonly #agent = new Agent({ connect: { timeout: TIMEOUT_MS }, pipelining: 0 });
  #timer: NodeJS.Timeout | undefined;
  #round: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(options: HealthProbeOptions) {
    this.#options = options;
  }

  start(): void {
    this.#timer = setTimeout(() => {
      // `#probeAll` does not reject.
      this.#round = this.#probeAll().then(() => {
        if (!this.#stopped) this.start();
      });
    }, this.#options.everyMs ?? EVERY_MS);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#agent.destroy();
    await this.#round;
  }

  async #probeAll(): Promise<void> {
    const waiting = [...this.#options.targets()];
    const work = async (): Promise<void> => {
      for (let target = waiting.shift(); target !== undefined && !this.#stopped; target = waiting.shift()) {
        const alive = await this.#answers(target);
        if (!this.#stopped) this.#options.told(target, alive);
      }
    };
    await Promise.all(Array.from({ length: AT_A_TIME }, work));
  }

  /** Any answer will do: the process is there and its loop turns. */
  async #answers({ ip, adminPort }: ProbeTarget): Promise<boolean> {
    try {
      const host = ip.includes(':') ? `[${ip}]` : ip;
      const answer = await request(`http://${host}:${adminPort}/admin/ping`, {
        dispatcher: this.#agent,
        headersTimeout: TIMEOUT_MS,
        bodyTimeout: TIMEOUT_MS,
      });
      await answer.body.dump();
      return true;
    } catch {
      // Refused, silent, or not HTTP: it is as good as not there.
      return false;
    }
  }
}
