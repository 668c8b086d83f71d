/** linkerd's `namers:` – Marathons become those of the scheduler, which asks each of them once for the whole cluster. */
import { isRecord } from '../../agent-proxy/config/schema/keys.ts';
import { FIRST_PREFIX } from '../config/marathons.ts';
import { type Block, type Draft, isEmpty, wholeNumber } from './draft.ts';
import type { Origins } from './origins.ts';

export interface MovedNamers {
  /** For the proxies' own configuration. */
  readonly kept: readonly Block[];
  /** What names of Marathons below `/#` are here, by what they were. */
  readonly prefixes: ReadonlyMap<string, string>;
  readonly marathons: readonly string[];
}

const MARATHON = 'io.l5d.marathon';
/** Where a Docker container sees the sandbox that a plain task has as its directory. */
const SANDBOX = '/mnt/mesos/sandbox/';

export function moveNamers(namers: unknown, place: string, origins: Origins, draft: Draft): MovedNamers {
  const kept: Block[] = [];
  const prefixes = new Map<string, string>();
  if (!isEmpty(namers) && !Array.isArray(namers)) draft.notUnderstood(place, namers, 'it is no list');
  const all: readonly unknown[] = Array.isArray(namers) ? namers : [];
  const marathons: { readonly block: Block; readonly place: string }[] = [];
  for (const [index, namer] of all.entries()) {
    const own = `${place}[${index}]`;
    if (!isRecord(namer)) draft.notUnderstood(own, namer, 'it is no block of keys');
    else if (namer['kind'] === MARATHON) marathons.push({ block: namer, place: own });
    else {
      kept.push(origins.note({ ...namer }, own));
      draft.taken(own, namer, 'mesh.config: namers', filesOf(namer));
    }
  }
  moveMarathons(marathons, prefixes, draft);
  return { kept, prefixes, marathons: [...prefixes.values()] };
}

function filesOf(namer: Block): string | null {
  if (!('rootDir' in namer)) return null;
  return 'the directory has to be there on every agent: a proxy is a process of the agent, in no container of its own';
}

export const prefixOf = ({ prefix, kind }: Block): string => String(prefix ?? `/${String(kind)}`).replace(/^\//, '');

function moveMarathons(
  all: readonly { readonly block: Block; readonly place: string }[],
  prefixes: Map<string, string>,
  draft: Draft,
): void {
  // The first one's apps have the bare names, which is what a dtab of linkerd on DC/OS says of this prefix.
  const first = all.find(({ block }) => prefixOf(block) === FIRST_PREFIX) ?? all[0];
  const ordered = first === undefined ? [] : [first, ...all.filter((one) => one !== first)];
  const urls: string[] = [];
  const used = new Set<string>();
  for (const { block, place } of ordered) {
    const before = prefixOf(block);
    const prefix = urls.length === 0 ? FIRST_PREFIX : before;
    if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/.test(prefix) || used.has(prefix)) {
      const why = 'each Marathon is named by one word of its own here: add it to discovery.marathons as WORD=URL';
      draft.notUnderstood(place, block, why);
      continue;
    }
    used.add(prefix);
    const url = urlOf(block, place, draft);
    urls.push(urls.length === 0 ? url : `${prefix}=${url}`);
    prefixes.set(before, prefix);
    tellNamer(block, place, url, prefix, draft);
  }
  if (urls.length > 0) draft.set('discovery.marathons', urls);
}

/** The URL that Marathon has for the scheduler. */
function urlOf(block: Block, place: string, draft: Draft): string {
  const { host = 'marathon.mesos', port = 80, uriPrefix = '', tls } = block;
  const named = isRecord(tls) && typeof tls['commonName'] === 'string' ? tls['commonName'] : null;
  if (named !== null && named !== host) {
    draft.changed(
      `${place}.tls.commonName`,
      named,
      'discovery.marathons',
      'the scheduler calls Marathon by the name that its certificate has, so this stands in the URL in place of host',
    );
  }
  return marathonUrl(named ?? String(host), wholeNumber(port, 1, 65_535) ?? 80, String(uriPrefix), isRecord(tls));
}

export function marathonUrl(host: string, port: number, uriPrefix: string, encrypted: boolean): string {
  const path = uriPrefix === '' ? '' : `/${uriPrefix.replace(/^\/+|\/+$/g, '')}`;
  return `${encrypted ? 'https' : 'http'}://${host.includes(':') ? `[${host}]` : host}:${port}${path === '/' ? '' : path}`;
}

const NAMER_KEYS: Readonly<Record<string, string>> = {
  ttlMs: 'nobody polls: the scheduler follows the events of Marathon, for the whole cluster',
  jitterMs: 'nobody polls: the scheduler follows the events of Marathon, for the whole cluster',
  experimental: 'nothing needs it here',
};

function tellNamer(block: Block, place: string, url: string, prefix: string, draft: Draft): void {
  for (const [key, value] of Object.entries(block)) {
    const own = `${place}.${key}`;
    if (key === 'kind') {
      draft.changed(own, value, 'discovery.marathons', 'the scheduler asks Marathon, once for all proxies');
    } else if (['host', 'port', 'uriPrefix'].includes(key)) draft.taken(own, value, `discovery.marathons: ${url}`);
    else if (key === 'prefix') {
      if (prefix === prefixOf(block)) draft.taken(own, value, `/#/${prefix}`);
      else draft.changed(own, value, `/#/${prefix}`, `the first Marathon is /#/${prefix} here; dtabs are rewritten so`);
    } else if (key === 'useHealthCheck') {
      const why = 'only tasks that run and whose health and readiness checks pass get traffic, in any case';
      if (value === true) draft.taken(own, value, 'always so', why);
      else draft.changed(own, value, 'always true', why);
    } else if (key === 'tls') moveTls(value, own, draft);
    else if (key === 'transformers') {
      draft.leftOut(own, value, 'addresses of the mesh are those of the table, which every proxy has alike');
    } else if (NAMER_KEYS[key] !== undefined) draft.leftOut(own, value, NAMER_KEYS[key]);
    else draft.notUnderstood(own, value, 'the namer of Marathon has no such key that is supported here');
  }
}

function moveTls(tls: unknown, place: string, draft: Draft): void {
  if (!isRecord(tls)) {
    draft.notUnderstood(place, tls, 'it is no block of keys');
    return;
  }
  draft.changed(place, tls, 'discovery.marathons: https', 'said by the URL');
  for (const [key, value] of Object.entries(tls)) {
    const own = `${place}.${key}`;
    if (key === 'commonName') continue;
    if (key === 'disableValidation') {
      if (value === true) {
        draft.leftOut(
          own,
          value,
          'a certificate is always validated: name the CA in tls.ca_file (Enterprise: .ssl/ca-bundle.crt)',
        );
      } else draft.taken(own, value, 'always validated');
    } else if (key === 'trustCerts' || key === 'trustCertsBundle') moveTrust(value, own, draft);
    else draft.notUnderstood(own, value, 'towards Marathon there is nothing of the kind');
  }
}

function moveTrust(value: unknown, place: string, draft: Draft): void {
  const [file, ...others] = Array.isArray(value) ? value.map(String) : [String(value)];
  if (file === undefined) return;
  const moved = file.startsWith(SANDBOX) ? file.slice(SANDBOX.length) : file;
  if (!/^[A-Za-z0-9_./-]*$/.test(moved)) {
    draft.notUnderstood(place, value, 'tls.ca_file takes letters, digits and _ . / - only');
    return;
  }
  draft.set('tls.ca_file', moved);
  const where =
    moved === file
      ? 'it has to be there on the agent that the scheduler runs on'
      : 'as the scheduler sees the same file';
  const more = others.length === 0 ? '' : `; put ${others.join(', ')} into the same file`;
  draft.changed(place, value, `tls.ca_file: ${moved}`, `${where}${more}`);
}
