/** A request's own dtab: `l5d-ctx-dtab`, which hops pass on, overridden by `l5d-dtab`, which the client sets (linkerd's rule). */
import { FIELD } from '../http1/fields.ts';
import type { RequestHead } from '../http1/request-head.ts';
import { type Dtab, DtabError, EMPTY_DTAB, readDtab, showDtab } from '../routing/dtab.ts';

export type RequestDtab =
  /** `text` is the dtab as it is passed on, and what tells one from another; null for the usual none. */
  | { readonly kind: 'dtab'; readonly text: string | null; readonly dtab: Dtab }
  | { readonly kind: 'bad'; readonly reason: string };

/** Of a request that has none, or whose own does not count. */
export const NO_DTAB = { kind: 'dtab', text: null, dtab: EMPTY_DTAB } as const satisfies RequestDtab;

/** What a caller's dtab may do; `names`: not name addresses, which the interpreter sees to. */
export type LocalDtabs = 'any' | 'names' | 'ignore';

export function requestDtab(head: RequestHead, may: LocalDtabs): RequestDtab {
  if (may === 'ignore' || (!head.has(FIELD.dtab) && !head.has(FIELD.contextDtab))) return NO_DTAB;
  const written = [...head.headers('l5d-ctx-dtab'), ...head.headers('l5d-dtab')];
  try {
    const dtab = written.flatMap((text) => [...readDtab(text)]);
    return dtab.length === 0 ? NO_DTAB : { kind: 'dtab', text: showDtab(dtab), dtab };
  } catch (error) {
    if (!(error instanceof DtabError)) throw error;
    return { kind: 'bad', reason: `its l5d-dtab cannot be read: ${error.message}` };
  }
}
