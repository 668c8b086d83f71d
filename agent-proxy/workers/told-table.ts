/** The table of a worker that leads others: whatever changes it is passed on, once it is applied. */
import { type Applied, ServiceTable, type WorkerFrame } from '../routing/service-table.ts';

export interface TableWatcher {
  /** The table has changed by this frame, which builds on what it was. */
  changed(frame: WorkerFrame): void;
  /** The table is another one, as a whole. */
  replaced(): void;
}

const PASSED_ON: ReadonlySet<WorkerFrame['type']> = new Set([
  'delta',
  'resume',
  'endpoints',
  'endpoints-patch',
  'forget',
]);

export class ToldTable extends ServiceTable {
  private watcher: TableWatcher | null = null;

  /** This one hears from now on. */
  watchedBy(watcher: TableWatcher): void {
    this.watcher = watcher;
  }

  override apply(frame: WorkerFrame): Applied {
    const applied = super.apply(frame);
    if (applied.kind === 'gap') return applied;
    // Of endpoints that come one by one each part is passed on; of a snapshot only that it is there.
    if (PASSED_ON.has(frame.type)) this.watcher?.changed(frame);
    else if (applied.kind === 'applied') this.watcher?.replaced();
    return applied;
  }
}
