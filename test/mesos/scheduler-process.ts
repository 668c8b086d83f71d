/** The built scheduler as a process, spoken to over its API. */
import { type ChildProcess, spawn } from 'node:child_process';
import { send } from '../fixtures/http.ts';
import { Final, type NodeRow } from './types.ts';

const STOP_TIMEOUT_MS = 15_000;
const KEPT_CHARS = 4_000;

export interface SchedulerCommand {
  /** The file of the built command. */
  readonly file: string;
  readonly args: readonly string[];
  readonly url: string;
  readonly token: string | null;
  readonly verbose: boolean;
}

interface Health {
  readonly subscribed: boolean;
  readonly sessions: number;
  readonly plans: Readonly<Record<string, string>>;
  /** What is not well. */
  readonly reasons: readonly string[];
}

export class SchedulerProcess {
  readonly url: string;
  readonly #child: ChildProcess;
  readonly #token: string | null;
  readonly #ended: Promise<string>;
  #howItEnded: string | null = null;
  #lastWords = '';

  constructor({ file, args, url, token, verbose }: SchedulerCommand) {
    this.url = url;
    this.#token = token;
    this.#child = spawn(process.execPath, [file, 'scheduler', ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.#lastWords = (this.#lastWords + text).slice(-KEPT_CHARS);
        if (verbose) process.stderr.write(text);
      });
    }
    this.#ended = new Promise((resolve) => {
      this.#child.once('error', (error) => resolve(error.message));
      this.#child.once('close', (code, signal) => resolve(signal ?? `exit code ${code}`));
    });
    void this.#ended.then((how) => {
      this.#howItEnded = how;
    });
  }

  /** The end of its log. */
  get lastWords(): string {
    return this.#lastWords.trim();
  }

  async nodes(): Promise<NodeRow[]> {
    return await this.#get<NodeRow[]>('/v1/nodes');
  }

  async frameworkId(): Promise<string | null> {
    const [id] = await this.#get<string[]>('/v1/state/frameworkId');
    return id ?? null;
  }

  async health(): Promise<Health> {
    return await this.#get<Health>('/v1/health');
  }

  /** How often it has subscribed to a master. */
  async subscriptions(): Promise<number> {
    const { body } = await this.#ask('/metrics');
    const found = /^\w*subscriptions\w* (\d+)$/m.exec(body)?.[1];
    if (found === undefined) throw new Error('the metrics of the scheduler do not tell of subscriptions');
    return Number(found);
  }

  /** As if the machine had failed. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#ended;
  }

  async stop(): Promise<void> {
    if (this.#howItEnded !== null) return;
    this.#child.kill('SIGTERM');
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), STOP_TIMEOUT_MS);
    await this.#ended;
    clearTimeout(timer);
  }

  async #get<T>(path: string): Promise<T> {
    const { status, body } = await this.#ask(path);
    if (status !== 200) throw new Error(`GET ${path} was answered ${status}: ${body.slice(0, 200)}`);
    return JSON.parse(body) as T;
  }

  #ask(path: string) {
    if (this.#howItEnded !== null) {
      throw new Final(`the scheduler has ended (${this.#howItEnded}); its last words: ${this.lastWords}`);
    }
    return send(`${this.url}${path}`, {
      headers: this.#token === null ? {} : { Authorization: `Bearer ${this.#token}` },
    });
  }
}
