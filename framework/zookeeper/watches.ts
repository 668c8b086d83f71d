/**
 * What is to be told when a node changes. A watch is told once and is gone, as on the server.
 *
 * After a reconnect all of them are told, though nothing may have changed: whoever watches reads again and watches again.
 * That makes SetWatches (and its own rules for what was missed meanwhile) unnecessary, and we watch few nodes.
 */
import type { WatchEvent } from './protocol.ts';

/** `node`: made, written or deleted. `children`: one more, one less, or the node itself deleted. */
export type WatchKind = 'node' | 'children';
export type Watcher = () => void;

export class Watches {
  readonly #watchers = { node: new Map<string, Set<Watcher>>(), children: new Map<string, Set<Watcher>>() };

  add(kind: WatchKind, path: string, watcher: Watcher): void {
    const ofPath = this.#watchers[kind].get(path);
    if (ofPath === undefined) this.#watchers[kind].set(path, new Set([watcher]));
    else ofPath.add(watcher);
  }

  remove(kind: WatchKind, path: string, watcher: Watcher): void {
    const ofPath = this.#watchers[kind].get(path);
    ofPath?.delete(watcher);
    if (ofPath?.size === 0) this.#watchers[kind].delete(path);
  }

  tell(event: WatchEvent): void {
    if (event.type !== 'children') this.#tell('node', event.path);
    if (event.type === 'children' || event.type === 'deleted') this.#tell('children', event.path);
  }

  tellAll(): void {
    for (const kind of ['node', 'children'] as const) {
      for (const path of [...this.#watchers[kind].keys()]) this.#tell(kind, path);
    }
  }

  #tell(kind: WatchKind, path: string): void {
    const ofPath = this.#watchers[kind].get(path);
    this.#watchers[kind].delete(path);
    for (const watcher of ofPath ?? []) watcher();
  }
}
