/** A namerd's dtabs, as its HTTP API tells them. */
import { DtabError, dtabFromJson } from '../../agent-proxy/routing/dtab.ts';
import type { Draft } from './draft.ts';
import { moveNamespace } from './dtabs.ts';

/** As the scheduler takes them (policy/dtab-store.ts). */
const NAMESPACE = /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}$/;

export interface NamerdNamespace {
  readonly name: string;
  readonly dentries: readonly { readonly prefix: string; readonly dst: string }[];
}

export function moveNamerd(namespaces: readonly NamerdNamespace[], draft: Draft): void {
  for (const { name, dentries } of namespaces) {
    const place = `namerd.${name}`;
    const text = dentries.map(({ prefix, dst }) => `${prefix} => ${dst}`).join(' ; ');
    if (!NAMESPACE.test(name)) {
      draft.notUnderstood(
        place,
        text,
        'a namespace is named by 1 to 100 of A-Z a-z 0-9 . _ - here: choose another name, also in mesh.config',
      );
      continue;
    }
    try {
      moveNamespace(name, dtabFromJson(dentries), place, draft);
    } catch (error) {
      if (!(error instanceof DtabError)) throw error;
      draft.notUnderstood(place, text, `it is no dtab: ${error.message}`);
    }
  }
}
