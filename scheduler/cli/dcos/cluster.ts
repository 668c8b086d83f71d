/**
 * Which cluster the DC/OS CLI is attached to, and its token: first what the environment says, then the cluster's dcos.toml,
 * then the CLI itself (`dcos config show`). Sources: dcos-cli's design of plugins and its configuration, and the SDK's CLI.
 */
import { join } from 'node:path';
import { Explained } from '../way.ts';
import { readToml } from './toml.ts';

/** What surrounds the process. */
export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly home: string;
  /** A file's text; null where there is none. */
  read(path: string): string | null;
  /** What is in a directory; nothing where there is none. */
  list(path: string): readonly string[];
  /** What the DC/OS CLI says of one key of its configuration; null for nothing. */
  show(key: string): string | null;
}

export type Trust =
  | { readonly kind: 'system' }
  /** Whoever answers is believed. */
  | { readonly kind: 'anybody' }
  | { readonly kind: 'ca'; readonly path: string };

export interface Cluster {
  /** Base URL. */
  readonly url: URL;
  /** Null: nobody is logged in, or the cluster asks for no login. */
  readonly token: string | null;
  readonly trust: Trust;
  /** The name of the service, where the configuration has one. */
  readonly serviceName: string | null;
  /** What was found and not used, and why: for whoever wonders. */
  readonly notes: readonly string[];
}

const VARIABLES: Readonly<Record<string, readonly string[]>> = {
  'core.dcos_url': ['DCOS_URL', 'DCOS_DCOS_URL'],
  'core.dcos_acs_token': ['DCOS_ACS_TOKEN', 'DCOS_DCOS_ACS_TOKEN'],
  'core.ssl_verify': ['DCOS_SSL_VERIFY'],
};

/** `module` is the word after `dcos`. @throws {Explained} when no cluster is known. */
export function findCluster(module: string, around: Surroundings): Cluster {
  const { env } = around;
  const notes: string[] = [];
  const ofEnvironment = (key: string): string | null => {
    const own = [`DCOS_${key.replaceAll(/[.-]/g, '_').toUpperCase()}`];
    for (const name of VARIABLES[key] ?? own) if (filled(env[name]) !== null) return filled(env[name]);
    return null;
  };
  const file = attachedFile(around);
  const toml = readToml(file === null ? '' : (around.read(file) ?? ''));
  if (toml.unread.length > 0) notes.push(`${file}: not understood in line ${toml.unread.join(', ')}`);

  const given = ofEnvironment('core.dcos_url');
  const written = filled(toml.values.get('core.dcos_url'));
  const text = given ?? written ?? around.show('core.dcos_url');
  if (text === null) {
    const rest = notes.length === 0 ? '' : ` (${notes.join('; ')})`;
    throw new Explained(
      `no DC/OS cluster is known${rest}: attach one with dcos cluster setup URL or dcos cluster attach NAME, or set DCOS_URL`,
    );
  }
  const url = urlOf(text);
  // The token of one cluster is never sent to another one that the environment names.
  const isOfFile = written !== null && sameCluster(url, written);
  if (!isOfFile && written !== null) notes.push(`${file} is of ${written}, and was not used for ${url.href}`);
  const look = (key: string): string | null => {
    const found = ofEnvironment(key);
    if (found !== null) return found;
    if (isOfFile) return filled(toml.values.get(key));
    // So it is with what the CLI says of the cluster that it is attached to.
    return given === null && written === null ? around.show(key) : null;
  };
  return {
    url,
    token: look('core.dcos_acs_token'),
    trust: trustOf(look('core.ssl_verify'), env, file),
    serviceName: look(`${module}.service_name`),
    notes,
  };
}

function attachedFile({ env, home, read, list }: Surroundings): string | null {
  const config = filled(env['DCOS_CONFIG']);
  if (config !== null) return config;
  const directory = filled(env['DCOS_DIR']) ?? join(home, '.dcos');
  const clusters = join(directory, 'clusters');
  const ids = list(clusters);
  const fileOf = (id: string): string => join(clusters, id, 'dcos.toml');
  const wanted = filled(env['DCOS_CLUSTER']);
  if (wanted !== null) {
    const nameOf = (id: string): string | undefined => readToml(read(fileOf(id)) ?? '').values.get('cluster.name');
    const found = ids.filter((id) => id === wanted || nameOf(id) === wanted);
    const [only] = found;
    if (only !== undefined && found.length === 1) return fileOf(only);
    const what = found.length === 0 ? 'no cluster has' : `${found.length} clusters have`;
    throw new Explained(`DCOS_CLUSTER is '${wanted}', and ${what} this name or id; dcos cluster list has them`);
  }
  const attached = ids.find((id) => read(join(clusters, id, 'attached')) !== null);
  if (attached !== undefined) return fileOf(attached);
  // Before DC/OS 1.10 there was one cluster, and one file.
  const legacy = join(directory, 'dcos.toml');
  return read(legacy) === null ? null : legacy;
}

/** @throws {Explained} */
function urlOf(text: string): URL {
  // As it is copied from a browser.
  const trimmed = text.trim().replace(/[#/]+$/, '');
  const url = URL.canParse(trimmed) ? new URL(trimmed) : null;
  if (url === null || !['http:', 'https:'].includes(url.protocol)) {
    throw new Explained(
      `the address of the cluster, '${text}', is not an http or https URL; set core.dcos_url or DCOS_URL`,
    );
  }
  return url;
}

function sameCluster(url: URL, other: string): boolean {
  const trimmed = other.trim().replace(/[#/]+$/, '');
  return URL.canParse(trimmed) && new URL(trimmed).href === url.href;
}

function trustOf(verify: string | null, env: Surroundings['env'], file: string | null): Trust {
  if (verify !== null) {
    if (/^(true|1|yes)$/i.test(verify)) return { kind: 'system' };
    if (/^(false|0|no)$/i.test(verify)) return { kind: 'anybody' };
    // A path that is not absolute is beside the file that it stands in.
    const isBeside = file !== null && !/^(\/|[A-Za-z]:)/.test(verify) && filled(env['DCOS_SSL_VERIFY']) === null;
    return { kind: 'ca', path: isBeside ? join(file, '..', verify) : verify };
  }
  // What the CLI has made of core.ssl_verify, and the scheme of the cluster.
  if (env['DCOS_TLS_INSECURE'] === '1') return { kind: 'anybody' };
  const path = filled(env['DCOS_TLS_CA_PATH']);
  return path === null ? { kind: 'system' } : { kind: 'ca', path };
}

function filled(text: string | undefined): string | null {
  return text === undefined || text.trim() === '' ? null : text;
}
