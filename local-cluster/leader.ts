/** Who leads now, and word of it to those who follow: what ZooKeeper does for real masters. */
import type { LeaderDetector } from './scheduler-link.ts';

export class Leader<T> implements LeaderDetector<T> {
  private leader: T | null = null;
  private readonly listeners = new Set<(leader: T | null) => void>();

  current(): T | null {
    return this.leader;
  }

  watch(listener: (leader: T | null) => void): () => void {
    this.listeners.add(listener);
    if (this.leader !== null) listener(this.leader);
    return () => this.listeners.delete(listener);
  }

  set(leader: T | null): void {
    this.leader = leader;
    for (const listener of [...this.listeners]) listener(leader);
  }
}
