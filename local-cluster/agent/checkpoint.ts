/** What an agent must not forget: the reservations and volumes made on it, in a file that outlives its process. */
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { type Resource, resourceSchema } from '../../framework/mesos-http-client/messages.ts';

const fileSchema = z.strictObject({ resources: z.array(resourceSchema) });

export class Checkpoint {
  readonly #path: string;
  #resources: readonly Resource[] = [];

  constructor(workDir: string) {
    this.#path = join(workDir, 'meta', 'resources.json');
  }

  get resources(): readonly Resource[] {
    return this.#resources;
  }

  /** @throws an Error that names the file when it cannot be read: to go on without would lose reservations. */
  load(): void {
    try {
      this.#resources = fileSchema.parse(JSON.parse(readFileSync(this.#path, 'utf8'))).resources;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
      throw new Error(`cannot read ${this.#path} (${String(error)}); remove it to give up the reservations in it`);
    }
  }

  /** Written before it is believed, as Mesos does; a few hundred bytes. */
  save(resources: readonly Resource[]): void {
    mkdirSync(dirname(this.#path), { recursive: true });
    writeFileSync(`${this.#path}.new`, `${JSON.stringify({ resources })}\n`);
    renameSync(`${this.#path}.new`, this.#path);
    this.#resources = resources;
  }

  /** The agent is gone for good; another one at its address begins anew. */
  forget(): void {
    rmSync(this.#path, { force: true });
    this.#resources = [];
  }
}
