/**
 * What becomes of dtabs. A namespace of the scheduler is evaluated after the router's dtab and wins over it, so a dtab cannot
 * stay in the router: that of the outgoing router goes into the namespace `default`, behind what is there from the first
 * start; another router's gets a namespace of its own.
 */
import { type Dtab, DtabError, dtabToJson, readDtab } from '../../agent-proxy/routing/dtab.ts';
import { DEFAULT_NAMESPACE, firstDtab } from '../../agent-proxy/routing/table-names/namespace.ts';
import { FIRST_PREFIX } from '../config/marathons.ts';
import { type Draft, isEmpty } from './draft.ts';
import type { MovedInterpreter } from './interpreters.ts';
import type { MovedNamers } from './namers.ts';

export interface Dtabs {
  readonly namers: MovedNamers;
  readonly draft: Draft;
  /** The dtab of the outgoing router, once that was looked at. */
  ofOutgoing: string | null;
  /** All that were read, and where. */
  readonly seen: SeenDtab[];
}

export interface SeenDtab {
  readonly place: string;
  readonly text: string;
}

/** The namespace of the router. */
export function moveDtab(
  dtab: unknown,
  { namespace, keepsDtab }: MovedInterpreter,
  { place, role, label }: { readonly place: string; readonly role: string; readonly label: string },
  dtabs: Dtabs,
): string {
  const { draft, namers } = dtabs;
  const own = `${place}.dtab`;
  if (isEmpty(dtab)) return namespace ?? 'default';
  const text = renamed(String(dtab), namers);
  const read = readOrNull(text, own, draft);
  if (read === null) return namespace ?? 'default';
  dtabs.seen.push({ place: own, text });
  if (keepsDtab) {
    draft.taken(own, dtab, `mesh.config: dtab of ${label}`, 'it is evaluated before the namespace, which wins over it');
    return namespace ?? 'default';
  }
  const before = dtabs.ofOutgoing;
  if (role === 'outgoing') dtabs.ofOutgoing = canonical(read);
  const extras = beyondDefault(read, draft);
  if (extras.length === 0) {
    draft.taken(
      own,
      dtab,
      'namespace default',
      'it says so from the first start, and knows other spellings of the names too',
    );
    return 'default';
  }
  if (role === 'outgoing') {
    draft.dtab('default', defaultWith(extras, draft), own);
    const why = 'a namespace wins over the dtab of a router, and holds for every router that names none';
    draft.changed(own, dtab, 'namespace default', why);
    return 'default';
  }
  if (canonical(read) === before) {
    draft.taken(own, dtab, 'namespace default', 'it is that of the outgoing router');
    return 'default';
  }
  const name = label.replace(/[^A-Za-z0-9_-]/g, '-');
  draft.dtab(name, written(read), own);
  draft.changed(own, dtab, `namespace ${name}`, 'a namespace wins over the dtab of a router, so it has one of its own');
  return name;
}

/** A namespace of namerd, as it is to be here. */
export function moveNamespace(name: string, dtab: Dtab, place: string, draft: Draft): void {
  const text = written(dtab);
  tellUnknownNamers([{ place, text }], [], draft);
  if (name !== DEFAULT_NAMESPACE.name) {
    draft.dtab(name, text, place);
    draft.taken(place, text, `namespace ${name}`);
    return;
  }
  const extras = beyondDefault(dtab, draft);
  if (extras.length === 0) {
    draft.taken(
      place,
      text,
      'namespace default',
      'it says so from the first start, and knows other spellings of the names too',
    );
    return;
  }
  draft.dtab(name, defaultWith(extras, draft), place);
  draft.changed(
    place,
    text,
    'namespace default',
    'it stands behind what is there from the first start, so that names of Mesos-DNS and virtual addresses lead to apps too',
  );
}

function readOrNull(text: string, place: string, draft: Draft): Dtab | null {
  try {
    return readDtab(text);
  } catch (error) {
    if (!(error instanceof DtabError)) throw error;
    draft.notUnderstood(place, text, `it is no dtab: line ${error.line}, column ${error.column}: ${error.message}`);
    return null;
  }
}

const canonical = (dtab: Dtab): string => JSON.stringify(dtabToJson(dtab));

const written = (dtab: Dtab): string =>
  dtabToJson(dtab)
    .map(({ prefix, dst }) => `${prefix} => ${dst} ;\n`)
    .join('');

/** What the scheduler's first dtab will be with the Marathons that were moved. */
function defaultDtab(draft: Draft): Dtab {
  const marathons = draft.get('discovery.marathons');
  const prefixes = Array.isArray(marathons) ? marathons.map((one: string) => /^([^=/:]+)=/.exec(one)?.[1]) : [];
  const dentries = prefixes.map((prefix) => `/marathonId => /#/${prefix ?? FIRST_PREFIX}`).reverse();
  return readDtab(dentries.length === 0 ? DEFAULT_NAMESPACE.dtab : firstDtab(dentries.join(' ; ')));
}

function beyondDefault(dtab: Dtab, draft: Draft): Dtab {
  const known = new Set(defaultDtab(draft).map((dentry) => canonical([dentry])));
  // Behind a dentry of its own a repeated one has a say again: then all of them count.
  const first = dtab.findIndex((dentry) => !known.has(canonical([dentry])));
  return first < 0 ? [] : dtab.slice(first);
}

const defaultWith = (extras: Dtab, draft: Draft): string => written([...defaultDtab(draft), ...extras]);

/** With the names that namers have here. */
function renamed(text: string, { prefixes }: MovedNamers): string {
  let result = text;
  for (const [before, after] of prefixes) {
    if (before === after) continue;
    const pattern = new RegExp(`/#/${before.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}(?=[/;\\s|&)]|$)`, 'g');
    result = result.replace(pattern, `/#/${after}`);
  }
  return result;
}

const OURS = [FIRST_PREFIX, 'io.nodemesh.mesos', 'io.nodemesh.mesos-dns', 'io.nodemesh.vip'];

/** `prefixes`: of those namers that there will be. */
export function tellUnknownNamers(dtabs: readonly SeenDtab[], prefixes: readonly string[], draft: Draft): void {
  const known = [...OURS, ...prefixes];
  for (const { place, text } of dtabs) {
    const used = new Set([...text.matchAll(/\/#\/([^;\s|&)]+)/g)].map(([, name = '']) => name));
    for (const name of used) {
      if (known.some((one) => name === one || name.startsWith(`${one}/`))) continue;
      draft.notUnderstood(
        `${place} (/#/${name})`,
        `/#/${name}`,
        'no namer here has this prefix, so it leads nowhere: name a Marathon so (discovery.marathons), or a namer in mesh.config',
      );
    }
  }
}
