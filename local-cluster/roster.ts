/**
 * The agents' ids by address, kept in the state directory: a cluster that is started again on it has the same agents, as
 * machines that were switched off and on, so the scheduler's state about them still means something.
 */
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { type AgentId, agentId } from '../framework/mesos-http-client/messages.ts';

const rosterSchema = z.strictObject({ agents: z.record(z.ipv4(), z.string().min(1).transform(agentId)) });

export class Roster {
  private readonly path: string;
  private readonly ids: Map<string, AgentId>;

  private constructor(path: string, ids: Map<string, AgentId>) {
    this.path = path;
    this.ids = ids;
  }

  /** @throws an Error that names the file and what to do, when there is one that cannot be read. */
  static async open(directory: string): Promise<Roster> {
    const path = join(directory, 'cluster.json');
    try {
      const text = await readFile(path, 'utf8');
      return new Roster(path, new Map(Object.entries(rosterSchema.parse(JSON.parse(text)).agents)));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return new Roster(path, new Map());
      const why = error instanceof z.ZodError ? z.prettifyError(error) : String(error);
      throw new Error(`cannot read ${path} (${why}); remove it, or choose another directory with --state`);
    }
  }

  idOf(ip: string): AgentId | undefined {
    return this.ids.get(ip);
  }

  async remember(ip: string, id: AgentId): Promise<void> {
    if (this.ids.get(ip) === id) return;
    this.ids.set(ip, id);
    await this.save();
  }

  /** An agent that is gone never comes back; another one at its address is a new one. */
  async forget(ip: string): Promise<void> {
    if (this.ids.delete(ip)) await this.save();
  }

  private async save(): Promise<void> {
    const text = JSON.stringify({ agents: Object.fromEntries(this.ids) }, null, 2);
    await writeFile(`${this.path}.new`, `${text}\n`);
    await rename(`${this.path}.new`, this.path);
  }
}
