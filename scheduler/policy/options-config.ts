/**
 * A configuration of the proxies that stands in the scheduler's own options, as the DC/OS package gives it. It is the first
 * revision of a new mesh. Later, other options are one more proposal, which goes out by the plan as any other, and says
 * what it takes the place of; the same options again, as after a restart, change nothing.
 */
import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { validateMeshConfig } from '../../agent-proxy/config/validate-mesh.ts';
import type { MeshConfigSource } from '../config/mesh-config.ts';
import type { KeptState } from './kept-state.ts';
import { fetchMeshConfig } from './mesh-config-url.ts';
import type { RollingConfig } from './rolling-config.ts';
import { DEFAULT_ROLLOUT } from './rollout-options.ts';

const KEY = 'config/options';
const AUTHOR = 'the options';
/** Whether another revision is still under way is looked at so often. */
const LOOK_MS = 1_000;
const RETRY_MS = { first: 1_000, most: 300_000 };

/** What the options said last, and which revision came of it. */
const keptSchema = z.object({ sha256: z.string(), revision: z.int().min(1) });

export interface OptionsConfigOptions {
  readonly source: MeshConfigSource;
  readonly kept: KeptState;
  readonly config: Pick<RollingConfig, 'completed' | 'revision' | 'allRevisions' | 'propose' | 'isUnderWay'>;
  readonly ports: NonNullable<Parameters<typeof validateMeshConfig>[1]>;
  readonly logger: { info(fields: object, message: string): void; error(fields: object, message: string): void };
  /** Of the source, if it is a URL. */
  readonly fetch?: (url: string) => Promise<string>;
}

interface Said {
  readonly sha256: string;
  readonly document: unknown;
}

export class OptionsConfig {
  readonly #options: OptionsConfigOptions;
  readonly #stopped = new AbortController();
  #said: Said | null = null;
  #fault: string | null = null;
  #following: Promise<void> = Promise.resolve();

  constructor(options: OptionsConfigOptions) {
    this.#options = options;
  }

  /** Why what the options say is not what the mesh runs, or is to run; null: it is. One sentence. */
  get fault(): string | null {
    return this.#fault;
  }

  /** The document, if it can be had at once and is valid: what a mesh that has none yet begins with. */
  async first(): Promise<unknown> {
    this.#said = await this.#read().catch((error: unknown) => this.#refused(error));
    return this.#said?.document;
  }

  /** The configuration is loaded. `isFirst`: it began with what {@link first} gave. */
  async start(isFirst: boolean): Promise<void> {
    if (isFirst && this.#said !== null) {
      const { sha256 } = this.#said;
      await this.#options.kept.write(KEY, { sha256, revision: this.#options.config.completed });
      return;
    }
    this.#following = this.#follow().catch((error: unknown) => {
      if (!this.#stopped.signal.aborted) this.#refused(error);
    });
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#following;
  }

  async #follow(): Promise<void> {
    const said = this.#said ?? (await this.#readAtLast());
    if (said === null) return;
    const { config, kept, logger } = this.#options;
    const before = await kept.read(KEY, keptSchema);
    if (before?.sha256 === said.sha256) return;
    for (;;) {
      const present = config.revision(config.completed);
      const known = sameAs(said.document, present) ? present : ownIn(config, said.document);
      if (known !== undefined) {
        await kept.write(KEY, { sha256: said.sha256, revision: known.revision });
        return;
      }
      if (!config.isUnderWay) {
        const note = noteOn(before?.revision ?? null, present);
        const given = { document: said.document, author: AUTHOR, note, rollbackOf: null, settings: DEFAULT_ROLLOUT };
        const outcome = await config.propose(given);
        if (outcome.kind === 'begun') {
          await kept.write(KEY, { sha256: said.sha256, revision: outcome.revision });
          logger.info({ revision: outcome.revision, note }, 'the configuration of the options is another one now');
          return;
        }
      }
      await sleep(LOOK_MS, undefined, { signal: this.#stopped.signal });
    }
  }

  /** A URL is asked again until it answers; what is not valid stays so. */
  async #readAtLast(): Promise<Said | null> {
    for (let delay = RETRY_MS.first; ; delay = Math.min(RETRY_MS.most, delay * 2)) {
      try {
        const said = await this.#read();
        this.#fault = null;
        return said;
      } catch (error) {
        this.#refused(error);
        if (error instanceof NotValid) return null;
      }
      await sleep(delay, undefined, { signal: this.#stopped.signal });
    }
  }

  async #read(): Promise<Said> {
    const { source, ports, fetch = fetchMeshConfig } = this.#options;
    const text = source.kind === 'text' ? source.text : await fetch(source.url);
    const { document, effective, errors } = validateMeshConfig(text, ports);
    if (effective === undefined) {
      const [first] = errors;
      const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : '';
      const where = first === undefined ? '' : `${first.path === '' ? '' : `${first.path}, `}line ${first.line}: `;
      throw new NotValid(`${where}${first?.message}${more}`);
    }
    return { document, sha256: createHash('sha256').update(text).digest('hex') };
  }

  #refused(error: unknown): null {
    const reason = error instanceof Error ? error.message : String(error);
    const isAlways = error instanceof NotValid;
    this.#fault = `the configuration that the options give ${isAlways ? 'is not valid' : 'cannot be had'}: ${reason}`;
    const todo = isAlways ? 'mend mesh.config (--mesh-config)' : 'it is asked for again';
    this.#options.logger.error({ reason }, `${this.#fault.split(':')[0]}; the mesh goes on as it is; ${todo}`);
    return null;
  }
}

class NotValid extends Error {}

interface Written {
  readonly revision: number;
  readonly document: unknown;
  readonly author: string | null;
  readonly at: number;
}

function sameAs(document: unknown, revision: Written | undefined): boolean {
  return revision !== undefined && isDeepStrictEqual(revision.document, document);
}

/** It was proposed, and the scheduler ended before it could note that. */
function ownIn(config: OptionsConfigOptions['config'], document: unknown): Written | undefined {
  const [newest] = config.allRevisions();
  return newest?.author === AUTHOR && sameAs(document, newest) ? newest : undefined;
}

/** `before`: the revision that came of the options when they were others. */
function noteOn(before: number | null, present: Written | undefined): string {
  if (present === undefined || present.revision === 1 || present.revision === before) return 'the options have changed';
  const { revision, author, at } = present;
  const by = author === null ? '' : `, which ${author} put`;
  return `the options have changed; it takes the place of revision ${revision}${by} on ${new Date(at).toISOString()}`;
}
