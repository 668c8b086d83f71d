/** The table of a worker that leads others: whatever changes it is passed on, once it is applied. */
import { type Applied, ServiceTable, type TableFrame } from '../routing/service-table.ts';

export interface TableWatcher {
  /** The table has changed by this frame, which builds on what it was. */
  changed(frame: TableFrame): void;
  /** The table is another one, as a whole. */
  replaced(): void;
}

export class ToldTable extends ServiceTable {
  private watcher: TableWatcher | null = null;

  /** This one hears from now on. */
  watchedBy(watcher: TableWatcher): void {
    this.watcher = watcher;
  }

  override apply(frame: TableFrame): Applied {
    const applied = super.apply(frame);
    if (applied.kind === 'applied') {
      if (frame.type === 'delta' || frame.type === 'resume') this.watcher?.changed(frame);
      else this.watcher?.replaced();
    }
    return applied;
  }
}
