/**
 * The one rule of a namespace by which a shift sends a share of an app's requests elsewhere: how it reads, and how it gets
 * into a text and out of it with the rest of the text left as somebody wrote it. Pure.
 */
import {
  type Dentry,
  type Dtab,
  DtabError,
  dentryToJson,
  readDtab,
  readTree,
  showDtab,
  showTree,
} from '../../../agent-proxy/routing/dtab.ts';
import { readPath, showPath } from '../../../agent-proxy/routing/path.ts';

const APPS = ['#', 'io.l5d.marathon'];

/** Marathon apps, by their ids without the slash in front. */
export interface Way {
  /** The app by whose name clients ask. */
  readonly service: string;
  /** Where its requests went before: the app itself, or what an earlier shift left. */
  readonly from: string;
  readonly to: string;
}

/** Where the rule sends requests; null where it takes no rule, because the app's name leads to itself. */
export function destination({ service, from, to }: Way, percent: number): string | null {
  if (percent <= 0) return from === service ? null : app(from);
  if (percent >= 100) return to === service ? null : app(to);
  return `${percent} * ${app(to)} & ${Number((100 - percent).toFixed(6))} * ${app(from)}`;
}

/** What the namespace says of the app now; null where there is no rule for just it. */
export function ruleIn(dtab: Dtab, service: string): string | null {
  const at = indexOf(dtab, service);
  const dentry = dtab[at];
  return dentry === undefined ? null : showTree(dentry.dst);
}

/** Whether two destinations are the same, however they are written. */
export function sameDestination(a: string | null, b: string | null): boolean {
  if (a === null || b === null) return a === b;
  return showTree(readTree(a)) === showTree(readTree(b));
}

/** The text with the app's rule made so, or taken out. */
export function withRule(text: string, service: string, dst: string | null): string {
  const dtab = readDtab(text);
  const at = indexOf(dtab, service);
  const prefix = showPath(prefixOf(service));
  const line = dst === null ? null : `${prefix} => ${dst}`;
  const rule: readonly Dentry[] = line === null ? [] : readDtab(line);
  const wanted = at === -1 ? [...dtab, ...rule] : [...dtab.slice(0, at), ...rule, ...dtab.slice(at + 1)];
  const candidates = at === -1 ? appended(text, line) : edited(text, prefix, line);
  const shown = showDtab(wanted);
  // Where the text is laid out in a way that no such edit fits, its comments are lost and its meaning is not.
  return candidates.find((each) => meaning(each) === shown) ?? wanted.map(shownDentry).join(' ;\n');
}

function appended(text: string, line: string | null): string[] {
  if (line === null) return [text];
  if (text.trim() === '') return [line];
  return [`${text}\n${line}`, `${text} ;\n${line}`, `${text}\n;\n${line}`];
}

/** The line of the rule made another, or taken out with the semicolon in front of it or behind it. */
function edited(text: string, prefix: string, line: string | null): string[] {
  const lines = text.split('\n');
  const at = lines.findLastIndex((each) => each.replace(/^[\s;]*/, '').startsWith(`${prefix} =>`));
  const old = lines[at];
  if (old === undefined) return [];
  const [, before = '', after = ''] = /^([\s;]*)[^;]*(.*)$/.exec(old) ?? [];
  const replaced = (by: string): string => [...lines.slice(0, at), by, ...lines.slice(at + 1)].join('\n');
  if (line !== null) return [replaced(`${before}${line}${after === '' ? '' : ` ${after}`}`)];
  const above = lines.slice(0, at).join('\n');
  const below = lines.slice(at + 1).join('\n');
  const heads = [above.replace(/[\s;]*$/, ''), above];
  const tail = below === '' ? '' : `\n${below}`;
  return [
    ...heads.flatMap((head) => [`${head}${tail}`, `${head} ;${tail}`]),
    replaced(before + after.replace(/^\s*;/, '')),
  ];
}

function meaning(text: string): string | null {
  try {
    return showDtab(readDtab(text));
  } catch (error) {
    if (error instanceof DtabError) return null;
    throw error;
  }
}

function indexOf(dtab: Dtab, service: string): number {
  const prefix = prefixOf(service);
  return dtab.findLastIndex(
    (dentry) => dentry.prefix.length === prefix.length && dentry.prefix.every((segment, at) => segment === prefix[at]),
  );
}

function shownDentry(dentry: Dentry): string {
  const { prefix, dst } = dentryToJson(dentry);
  return `${prefix} => ${dst}`;
}

const prefixOf = (service: string): string[] => ['marathonId', ...readPath(`/${service}`)];

const app = (service: string): string => showPath([...APPS, ...readPath(`/${service}`)]);
