/**
 * The goals that proxies can have: those of the archives at hand with the task that is configured now, and those of before,
 * which the state store remembers with their tasks. The framework knows a goal by its id and relaunch key alone.
 */
import { z } from 'zod';
import type { Goal, StateStore } from '../../framework/index.ts';
import type { ProxyArchive, ProxyArtifacts } from './artifacts.ts';
import { openShelf, type ShelvedCode, withCode } from './code-shelf.ts';
import { goalOf, type ProxyGoal, type ProxyPlan, proxyPlanSchema } from './goal.ts';

const KEY = 'scheduler/goals';
/** A rollout is between two; a few more are there for who goes back. */
const MOST_KEPT = 10;

const rememberedSchema = z.array(
  z.object({
    /** Of the archive. */
    sha256: z.string(),
    id: z.string(),
    relaunchKey: z.string(),
    codeSha256: z.string(),
    version: z.string(),
    plan: proxyPlanSchema,
  }),
);
type RememberedGoal = z.infer<typeof rememberedSchema>[number];

export class ProxyGoals {
  /** What proxies are to be. */
  readonly wanted: ProxyGoal;
  readonly #artifacts: Pick<ProxyArtifacts, 'archives'>;
  readonly #known: readonly RememberedGoal[];
  readonly #shelf: readonly ShelvedCode[];

  constructor(
    artifacts: Pick<ProxyArtifacts, 'archives'>,
    plan: ProxyPlan,
    { before, shelf }: { before: readonly RememberedGoal[]; shelf: readonly ShelvedCode[] },
  ) {
    this.#artifacts = artifacts;
    this.#shelf = shelf;
    const now = artifacts.archives.map((archive) => rememberedOf(archive, plan));
    const older = before.filter((goal) => !now.some(({ id }) => id === goal.id));
    this.#known = [...now, ...older].slice(0, MOST_KEPT);
    this.wanted = goalOf(artifacts.archives[0], plan);
  }

  get known(): readonly RememberedGoal[] {
    return this.#known;
  }

  /** The task and the archive of a goal; null when its archive is not at hand any more. */
  find(goal: Pick<Goal, 'id'>): { readonly archive: ProxyArchive; readonly plan: ProxyPlan } | null {
    const known = this.#known.find(({ id }) => id === goal.id);
    if (known === undefined) return null;
    const archive = this.#artifacts.archives.find(({ manifest }) => manifest.sha256 === known.sha256);
    const found = archive ?? this.#fromShelf(known);
    return found === null ? null : { archive: found, plan: known.plan };
  }

  /** Code of before in a task that an archive at hand can be: with the same Node.js. In an image there is no other code. */
  #fromShelf({ id, plan, codeSha256 }: RememberedGoal): ProxyArchive | null {
    const code = this.#shelf.find((one) => one.codeSha256 === codeSha256);
    if (code === undefined || plan.image !== null) return null;
    const made = this.#artifacts.archives.map((archive) => withCode(archive, code));
    return made.find((archive) => goalOf(archive, plan).id === id) ?? null;
  }

  /** Which goal a proxy has that runs this code, in a task of the goal `task`. */
  ofCode(codeSha256: string, task: string): Goal | null {
    const key = this.#known.find(({ id }) => id === task)?.relaunchKey;
    const found = this.#known.find((goal) => goal.codeSha256 === codeSha256 && goal.relaunchKey === key);
    return found === undefined ? null : { id: found.id, relaunchKey: found.relaunchKey };
  }
}

/** @throws {StateStoreError} */
export async function loadGoals(
  store: StateStore,
  artifacts: Pick<ProxyArtifacts, 'archives' | 'at' | 'lend'>,
  plan: ProxyPlan,
): Promise<ProxyGoals> {
  const stored = await store.get(KEY);
  const before = rememberedSchema.safeParse(stored?.value ?? []);
  // What cannot be read any more is of another version of this file: such goals cannot be launched again either.
  const shelf = await openShelf(store, artifacts, Date.now());
  const goals = new ProxyGoals(artifacts, plan, { before: before.success ? before.data : [], shelf });
  await store.put(KEY, goals.known, stored?.version ?? null);
  return goals;
}

function rememberedOf(archive: ProxyArchive, plan: ProxyPlan): RememberedGoal {
  const { id, relaunchKey, codeSha256, version } = goalOf(archive, plan);
  return { sha256: archive.manifest.sha256, id, relaunchKey, codeSha256, version, plan };
}
