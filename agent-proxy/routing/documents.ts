/** The documents of a table, by kind and name. */
import type { DocumentKind, DocumentOf, DocumentRef, MeshDocument } from '../control/contract.ts';

export function documentKey({ kind, name }: DocumentRef): string {
  return `${kind} ${name}`;
}

export class Documents {
  private readonly byKind: { [Kind in DocumentKind]: Map<string, DocumentOf<Kind>> } = {
    dtab: new Map(),
    settings: new Map(),
    outline: new Map(),
  };

  get<Kind extends DocumentKind>(kind: Kind, name: string): DocumentOf<Kind> | undefined {
    return this.byKind[kind].get(name);
  }

  of<Kind extends DocumentKind>(kind: Kind): IterableIterator<DocumentOf<Kind>> {
    return this.byKind[kind].values();
  }

  *all(): IterableIterator<MeshDocument> {
    yield* this.byKind.dtab.values();
    yield* this.byKind.settings.values();
    yield* this.byKind.outline.values();
  }

  set(document: MeshDocument): void {
    if (document.kind === 'dtab') this.byKind.dtab.set(document.name, document);
    else if (document.kind === 'settings') this.byKind.settings.set(document.name, document);
    else this.byKind.outline.set(document.name, document);
  }

  /** True when it was there. */
  delete({ kind, name }: DocumentRef): boolean {
    return this.byKind[kind].delete(name);
  }
}
