/**
 * The command of a proxy's task, as a shell is given it. It trusts neither the agent's environment nor what the fetcher
 * brought: Mesos checks no digest, and agents hand on a PATH and libraries of their own. Pure.
 */

import { PROXY_START } from './start-script.ts';

/** Where the fetcher puts the archive. */
export const ARCHIVE_FILE = 'nodemesh-proxy.tar.gz';
/** Where it puts other code, that is laid over that of the archive. */
export const CODE_ARCHIVE_FILE = 'nodemesh-proxy-code.tar.gz';
const DIRECTORY = 'nodemesh-proxy';
/** Where an image has what the archive has (docs/proxy-archive.md). */
const IMAGE_DIRECTORY = '/opt/nodemesh-proxy';

export interface FetchedArchive {
  readonly sha256: string;
  /** It has a Node.js in it. */
  readonly hasRuntime: boolean;
  /** Of an archive of other code. */
  readonly codeSha256?: string;
}

/** Checks and unpacks the archive, and becomes the proxy with these words. For `/bin/sh`. */
export function archiveCommand(archive: FetchedArchive, words: readonly string[]): string {
  const { sha256, hasRuntime, codeSha256 } = archive;
  return [
    'fail() { echo "nodemesh: $1" >&2; exit 1; }',
    ...(hasRuntime ? [] : [FIND_NODE, NEED_NODE]),
    OWN_SURROUNDINGS,
    ...unpacked(ARCHIVE_FILE, sha256),
    ...(codeSha256 === undefined ? [] : unpacked(CODE_ARCHIVE_FILE, codeSha256)),
    hasRuntime
      ? `exec ./${DIRECTORY}/${PROXY_START} ${quoted(words)}`
      : `exec "$NODE" ${DIRECTORY}/proxy.mjs ${quoted(words)}`,
  ].join('\n');
}

function unpacked(file: string, sha256: string): string[] {
  return [
    `SUM=$(sha256sum ${file}) || fail "the digest of ${file} cannot be had, so it is not started"`,
    `[ "\${SUM%% *}" = ${sha256} ] ||`,
    `  fail "the archive has the SHA-256 \${SUM%% *} and not ${sha256}: it was changed on its way, or in the fetcher's cache"`,
    `mkdir -p ${DIRECTORY} && tar -xzf ${file} -C ${DIRECTORY} || fail "${file} cannot be unpacked"`,
    `rm -f ${file}`,
  ];
}

/** Tools of the system, and its libraries: an agent hands on those that it runs with itself. */
const OWN_SURROUNDINGS = 'PATH=/usr/bin:/bin; export PATH; unset LD_LIBRARY_PATH LD_PRELOAD NODE_OPTIONS';
const FIND_NODE = 'NODE=$NODEMESH_NODE; [ -n "$NODE" ] || NODE=$(command -v node)';
const NEED_NODE =
  '[ -x "$NODE" ] || fail "there is no Node.js on this agent (NODEMESH_NODE, or node on the PATH); use an archive that has one"';

function nodeOf({ hasRuntime }: Pick<FetchedArchive, 'hasRuntime'>): string {
  return hasRuntime ? `./${DIRECTORY}/bin/node` : '"$NODE"';
}

/** The same in an image, where there is nothing to fetch. */
export function imageCommand(words: readonly string[]): string {
  return `exec ${IMAGE_DIRECTORY}/${PROXY_START} ${quoted(words)}`;
}

/**
 * Asks a proxy whether it is there, in its sandbox; ends with 0 when it is. Mesos' own HTTP and TCP checks ask at 127.0.0.1
 * and nowhere else (src/checks/checker_process.cpp), where a proxy on its agent's address does not listen. curl costs an
 * agent less than a Node.js that is started for one question.
 */
export function pingCommand(archive: FetchedArchive | 'image', url: string): string {
  const node = archive === 'image' ? `${IMAGE_DIRECTORY}/bin/node` : nodeOf(archive);
  // Mesos' Docker executor puts it between double quotes (src/docker/executor.cpp): for an image it has none, nor a dollar.
  const [library, where, failure] = [1, 2, 3].map((index) => `process.argv[${index}]`);
  const ask = `require(${library}).get(${where},(r)=>process.exit(r.statusCode<400?0:1)).on(${failure},()=>process.exit(1))`;
  return [
    ...(archive === 'image' || archive.hasRuntime ? [] : [FIND_NODE]),
    ...(archive === 'image' ? [] : [OWN_SURROUNDINGS]),
    `if command -v curl >/dev/null; then exec curl -gfsS --noproxy '*' -o /dev/null ${quoted([url])}; fi`,
    `exec ${node} -e '${ask}' http ${quoted([url])} error`,
  ].join('\n');
}

function quoted(words: readonly string[]): string {
  return words.map((word) => (/^[\w.,:=/-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`)).join(' ');
}
