/**
 * Tells the scheduler, on one stream of the scope `bound`, which services' endpoints are wanted: always all of them, a moment
 * after the first that is new, and again until the scheduler has taken it. A name that nobody follows any more can wait.
 */
import type { ServiceTable } from '../routing/service-table.ts';
import type { Subscribe, Want } from './contract.ts';
import type { Answer, SchedulerClient } from './scheduler-client.ts';

/** Names that become known together go together. */
const SOON_MS = 2;
const LATER_MS = 1_000;
const RETRY_MS = 250;
/** As `MAX_WANTED` of the contract, whose schemas are not loaded for it. */
const MOST = 4_096;
/** Characters of names in a subscription, which schedulers that know nothing of scopes take too. */
const MOST_AT_FIRST = 16_384;

interface WantingOptions {
  readonly url: string;
  readonly session: string;
  readonly agentId: string;
  readonly taskId: string;
  readonly table: ServiceTable;
  readonly client: SchedulerClient;
  /** Its answer says that the session is over. */
  readonly refused: (status: number) => void;
  readonly log: (message: string, fields: Readonly<Record<string, string | number>>) => void;
}

export class Wanting {
  private readonly options: WantingOptions;
  private readonly stop: () => void;
  private timer: NodeJS.Timeout | null = null;
  private dueAt = Number.POSITIVE_INFINITY;
  private isSending = false;
  private isStale = false;
  private isOver = false;
  private hasComplained = false;

  constructor(options: WantingOptions) {
    this.options = options;
    this.stop = options.table.wanted.onChange((_, isWanted) => this.plan(isWanted ? SOON_MS : LATER_MS));
    // What the subscription said may be old, or not have been all.
    this.plan(SOON_MS);
  }

  close(): void {
    this.isOver = true;
    this.stop();
    if (this.timer !== null) clearTimeout(this.timer);
  }

  private plan(afterMs: number): void {
    if (this.isOver) return;
    if (this.isSending) {
      this.isStale = true;
      return;
    }
    const at = performance.now() + afterMs;
    if (this.dueAt <= at) return;
    if (this.timer !== null) clearTimeout(this.timer);
    this.dueAt = at;
    this.timer = setTimeout(() => this.send(), afterMs);
  }

  private send(): void {
    const { url, session, agentId, taskId, table, client, refused, log } = this.options;
    this.timer = null;
    this.dueAt = Number.POSITIVE_INFINITY;
    this.isSending = true;
    this.isStale = false;
    const services = wantedOf(table);
    const body: Want = { session, agentId, taskId, services };
    if (table.wanted.size > services.length && !this.hasComplained) {
      this.hasComplained = true;
      const fields = { used: table.wanted.size, most: MOST };
      log('this node uses more services than the scope bound allows: the others have no endpoints', fields);
    }
    client.want(url, body, (answer: Answer) => {
      this.isSending = false;
      if (this.isOver) return;
      const status = answer.kind === 'status' ? answer.status : 0;
      if ([401, 404, 409].includes(status)) refused(status);
      else if (status < 200 || status >= 300) this.plan(RETRY_MS);
      else if (this.isStale) this.plan(SOON_MS);
    });
  }
}

/** The services that are wanted, as far as a scheduler takes them. */
function wantedOf(table: ServiceTable): string[] {
  const names: string[] = [];
  for (const name of table.wanted.names()) {
    if (names.length >= MOST) break;
    names.push(name);
  }
  return names;
}

/** What a subscription says of the scope `bound`: nothing, where neither this proxy nor its scheduler has to do with it. */
export function subscribedScope(table: ServiceTable): Pick<Subscribe, 'wants' | 'filled'> {
  const wants = firstWanted(table);
  const filled = table.filledDigests();
  return { ...(wants.length === 0 ? {} : { wants }), ...(filled.length === 0 ? {} : { filled }) };
}

/** Those that a subscription has room for. */
function firstWanted(table: ServiceTable): string[] {
  const names: string[] = [];
  let room = MOST_AT_FIRST;
  for (const name of wantedOf(table)) {
    room -= name.length;
    if (room < 0) break;
    names.push(name);
  }
  return names;
}
