/**
 * A takeover at work: look, decide, do, look again, until it is done or something does not come about in time. The decisions
 * are in migrate/takeover/; where things are asked and told is handed in.
 */
import { isPlaced, type LinkerdApp, type MeshNode, type Move, type TakeoverView } from '../migrate/takeover/view.ts';

export interface TakeoverWorld {
  look(): Promise<{ readonly app: LinkerdApp; readonly nodes: readonly MeshNode[] }>;
  /** False where Marathon would not now (a deployment holds the app): it is tried again. @throws {Error} for people */
  perform(move: Exclude<Move, { kind: 'wait' | 'check' | 'done' }>): Promise<boolean>;
  /** What is wrong with the proxy, or what was seen of it. */
  check(node: MeshNode): Promise<{ readonly isWell: boolean; readonly saw: string }>;
  say(line: string): void;
  /** Milliseconds. */
  now(): number;
  /** Resolves after a moment; rejects where somebody wants it to end. */
  pause(): Promise<void>;
}

export interface RunOptions {
  /** What is next. `begun`: nodes that this run has begun. */
  decide(view: TakeoverView, checked: ReadonlySet<string>, begun: number): Move;
  /** One thing may be waited for so long. Milliseconds. */
  readonly timeoutMs: number;
  /** A check that fails is repeated for so long. Milliseconds. */
  readonly checkMs: number;
}

/** It stopped: where, why, and what may be done. */
export class TakeoverStopped extends Error {
  override readonly name = 'TakeoverStopped';
}

/** @throws {TakeoverStopped} and what `world` throws */
export async function runTakeover(world: TakeoverWorld, options: RunOptions): Promise<Extract<Move, { kind: 'done' }>> {
  const run = new Run(world, options);
  for (;;) {
    const end = await run.step();
    if (end !== null) return end;
  }
}

class Run {
  readonly #world: TakeoverWorld;
  readonly #options: RunOptions;
  readonly #checked = new Set<string>();
  #begun = 0;
  #placelessSince: number | null = null;
  #waiting: { readonly on: string; readonly since: number } | null = null;
  /** Without its figures, which change all the time. */
  #said = '';
  #illSince: number | null = null;

  constructor(world: TakeoverWorld, options: RunOptions) {
    this.#world = world;
    this.#options = options;
  }

  /** One look and one move; not null when it is done. */
  async step(): Promise<Extract<Move, { kind: 'done' }> | null> {
    const { app, nodes } = await this.#world.look();
    const now = this.#world.now();
    const isPlaceless = app.instances > app.tasks.filter(isPlaced).length;
    this.#placelessSince = isPlaceless ? (this.#placelessSince ?? now) : null;
    const placelessForMs = this.#placelessSince === null ? 0 : now - this.#placelessSince;
    const move = this.#options.decide({ app, nodes, placelessForMs }, this.#checked, this.#begun);
    switch (move.kind) {
      case 'done':
        return move;
      case 'wait':
        this.#wait(move, app, now);
        await this.#world.pause();
        return null;
      case 'check':
        if (!(await this.#isWell(move.node, now))) await this.#world.pause();
        return null;
      default:
        if (!(await this.#perform(move, app))) await this.#world.pause();
        return null;
    }
  }

  #wait({ node, what }: Extract<Move, { kind: 'wait' }>, { appId }: LinkerdApp, now: number): void {
    const on = node?.agentId ?? '';
    if (this.#waiting?.on !== on) this.#waiting = { on, since: now };
    const line = `${node?.hostname ?? appId}: ${what}`;
    const plain = line.replace(/\d+/g, '');
    if (this.#said !== plain) this.#world.say(line);
    this.#said = plain;
    if (now - this.#waiting.since >= this.#options.timeoutMs) throw stopped(node, what, this.#options.timeoutMs);
  }

  async #isWell(node: MeshNode, now: number): Promise<boolean> {
    const { isWell, saw } = await this.#world.check(node);
    if (isWell) {
      this.#checked.add(node.agentId);
      this.#illSince = null;
      this.#waiting = null;
      this.#world.say(`${node.hostname}: nodemesh has it: ${saw}`);
      return true;
    }
    this.#illSince ??= now;
    if (now - this.#illSince >= this.#options.checkMs) throw stopped(node, saw);
    return false;
  }

  async #perform(move: Parameters<TakeoverWorld['perform']>[0], app: LinkerdApp): Promise<boolean> {
    const isDone = await this.#world.perform(move);
    this.#said = '';
    this.#world.say(sentenceOf(move, app, isDone));
    if (!isDone) return false;
    this.#waiting = null;
    if (move.kind === 'scale-down') {
      this.#begun += 1;
      // What was seen of its proxy was seen beside linkerd.
      this.#checked.delete(move.node.agentId);
    }
    return true;
  }
}

function sentenceOf(
  move: Parameters<TakeoverWorld['perform']>[0],
  { appId, instances }: LinkerdApp,
  isDone: boolean,
): string {
  const refused = isDone ? '' : ': not now, a deployment holds the app; it is tried again';
  switch (move.kind) {
    case 'scale':
      return `${appId}: ${instances} → ${move.instances} instances, as ${move.why}${refused}`;
    case 'scale-down':
      return `${move.node.hostname}: linkerd's task ${move.taskId} is removed, ${instances} → ${move.instances} instances${refused}`;
    case 'include':
      return `${move.node.hostname}: the scheduler may launch a proxy there again`;
    case 'exclude':
      return `${move.node.hostname}: the proxy goes, and is kept out`;
  }
}

function stopped(node: MeshNode | null, why: string, afterMs: number | null = null): TakeoverStopped {
  const after = afterMs === null ? '' : ` for ${Math.round(afterMs / 1_000)} s`;
  if (node === null)
    return new TakeoverStopped(`stopped: ${why}${after}. No node is between the two. Run it again to go on`);
  return new TakeoverStopped(
    `stopped at ${node.hostname}: ${why}${after}. Run it again to go on, or give the node back: nodemesh migrate give-back ${node.hostname}`,
  );
}
