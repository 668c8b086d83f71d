/**
 * The command of a proxy's task, as a shell is given it. It trusts neither the agent's environment nor what the fetcher
 * brought: Mesos checks no digest, and agents hand on a PATH and libraries of their own. Pure.
 */

/** Where the fetcher puts the archive. */
export const ARCHIVE_FILE = 'nodemesh-proxy.tar.gz';
const DIRECTORY = 'nodemesh-proxy';
/** Where an image has what the archive has (docs/proxy-archive.md). */
const IMAGE_DIRECTORY = '/opt/nodemesh-proxy';

export interface FetchedArchive {
  readonly sha256: string;
  /** It has a Node.js in it. */
  readonly hasRuntime: boolean;
}

/** Checks and unpacks the archive, and becomes the proxy with these words. For `/bin/sh`. */
export function archiveCommand({ sha256, hasRuntime }: FetchedArchive, words: readonly string[]): string {
  const node = hasRuntime ? `./${DIRECTORY}/bin/node` : '"$NODE"';
  return [
    'fail() { echo "nodemesh: $1" >&2; exit 1; }',
    ...(hasRuntime ? [] : HOST_NODE_LINES),
    // Tools of the system, and its libraries: an agent hands on those that it runs with itself.
    'PATH=/usr/bin:/bin; export PATH; unset LD_LIBRARY_PATH LD_PRELOAD NODE_OPTIONS',
    `SUM=$(sha256sum ${ARCHIVE_FILE}) || fail "the digest of ${ARCHIVE_FILE} cannot be had, so it is not started"`,
    `[ "\${SUM%% *}" = ${sha256} ] ||`,
    `  fail "the archive has the SHA-256 \${SUM%% *} and not ${sha256}: it was changed on its way, or in the fetcher's cache"`,
    `mkdir -p ${DIRECTORY} && tar -xzf ${ARCHIVE_FILE} -C ${DIRECTORY} || fail "${ARCHIVE_FILE} cannot be unpacked"`,
    `rm -f ${ARCHIVE_FILE}`,
    `exec ${node} ${DIRECTORY}/proxy.mjs ${quoted(words)}`,
  ].join('\n');
}

const HOST_NODE_LINES = [
  'NODE=$NODEMESH_NODE; [ -n "$NODE" ] || NODE=$(command -v node)',
  '[ -x "$NODE" ] || fail "there is no Node.js on this agent (NODEMESH_NODE, or node on the PATH); use an archive that has one"',
];

/** The same in an image, where there is nothing to fetch. */
export function imageCommand(words: readonly string[]): string {
  return `exec ${IMAGE_DIRECTORY}/bin/node ${IMAGE_DIRECTORY}/proxy.mjs ${quoted(words)}`;
}

function quoted(words: readonly string[]): string {
  return words.map((word) => (/^[\w.,:=/-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`)).join(' ');
}
