/**
 * Where the scheduler may be, in the order in which to try: what a leader announced or said last, then what the task was
 * launched with. Pure.
 */
const MAX_SCHEDULERS = 32;
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 1_000;

export class SchedulerList {
  private readonly launchedWith: readonly string[];
  private told: readonly string[];
  private next = 0;
  private rounds = 0;

  constructor(launchedWith: readonly string[], told: readonly string[]) {
    this.launchedWith = launchedWith;
    this.told = told;
  }

  /** What a leader said, to be kept on disk. */
  get announced(): readonly string[] {
    return this.told;
  }

  get all(): readonly string[] {
    return [...new Set([...this.told, ...this.launchedWith])].slice(0, MAX_SCHEDULERS);
  }

  /** A leader said where it is: these come first from now on. True where that is news. */
  tell(schedulers: readonly string[]): boolean {
    const cleaned = schedulers.filter((url) => URL.canParse(url)).map((url) => url.replace(/\/+$/, ''));
    if (cleaned.length === 0) return false;
    this.restart();
    const news = cleaned.join() !== this.told.join();
    this.told = cleaned.slice(0, MAX_SCHEDULERS);
    return news;
  }

  /** Begins with the first again. */
  restart(): void {
    this.next = 0;
    this.rounds = 0;
  }

  /** The next to try, or a pause after all have been tried, or null when there are none. `random` is in [0, 1). */
  step(random: number): { readonly url: string } | { readonly pauseMs: number } {
    const { all } = this;
    const url = all[this.next];
    if (url !== undefined) {
      this.next += 1;
      return { url };
    }
    this.next = 0;
    const base = Math.min(FIRST_PAUSE_MS * 2 ** Math.min(this.rounds, 10), LONGEST_PAUSE_MS);
    this.rounds += 1;
    return { pauseMs: base * (0.5 + 0.5 * random) };
  }
}
