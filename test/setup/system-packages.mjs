/**
 * What the tests need from the operating system (a Chromium for the dashboard, a Java runtime and ZooKeeper's library
 * for a real ZooKeeper server), and what the bench needs. Root on Debian or Ubuntu gets what is missing from apt; anyone
 * else gets one line that says what to install, and a failure. A test is never skipped for the lack of them.
 */
import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';
import { promisify } from 'node:util';
import { run } from '../../dcos-package/build/child.mjs';
import { SetUpError, say } from '../../dcos-package/build/progress.mjs';
import { withoutServices } from './without-services.mjs';

const execute = promisify(execFile);

/** Debian's jar, whose manifest names the jars that it needs. The library alone: `zookeeperd` would start a server. */
export const ZOOKEEPER_JAR = '/usr/share/java/zookeeper.jar';

const BROWSERS = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome'];

/**
 * @typedef {object} Need
 * @property {string} what
 * @property {string} aptPackage
 * @property {() => Promise<boolean>} isMet
 */

/** @type {readonly Need[]} */
const NEEDS = [
  { what: 'Chromium or Chrome', aptPackage: 'chromium', isMet: async () => (await findChromium()) !== null },
  {
    what: 'a Java runtime',
    aptPackage: 'default-jre-headless',
    isMet: async () => (await answerOf('java', '-version')) !== null,
  },
  {
    what: `ZooKeeper's library (${ZOOKEEPER_JAR})`,
    aptPackage: 'libzookeeper-java',
    isMet: async () => existsSync(ZOOKEEPER_JAR),
  },
  {
    // How much of the dashboard fits into a line depends on the font that the browser finds.
    what: 'the fonts Liberation',
    aptPackage: 'fonts-liberation',
    isMet: async () => (await answerOf('fc-list', ':family=Liberation Sans'))?.includes('Liberation') === true,
  },
  { what: 'openssl', aptPackage: 'openssl', isMet: async () => (await answerOf('openssl', 'version')) !== null },
  { what: 'curl', aptPackage: 'curl', isMet: async () => (await answerOf('curl', '--version')) !== null },
];

/**
 * What `npm run bench` measures with, and against.
 *
 * @type {readonly Need[]}
 */
export const BENCH_NEEDS = [
  { what: 'HAProxy', aptPackage: 'haproxy', isMet: async () => (await answerOf('haproxy', '-v')) !== null },
  { what: 'nginx', aptPackage: 'nginx-light', isMet: async () => (await answerOf('nginx', '-v')) !== null },
  { what: 'wrk', aptPackage: 'wrk', isMet: async () => isOnPath('wrk') },
  {
    what: 'h2load',
    aptPackage: 'nghttp2-client',
    isMet: async () => (await answerOf('h2load', '--version')) !== null,
  },
  {
    what: 'setpriv and taskset',
    aptPackage: 'util-linux',
    isMet: async () => isOnPath('setpriv') && isOnPath('taskset'),
  },
];

/**
 * The first browser that answers to `--version`. Ubuntu's `chromium-browser` may be a stub that only points at a snap:
 * being on the path is not enough.
 *
 * @returns {Promise<string | null>} its absolute path
 */
export async function findChromium() {
  const candidates = BROWSERS.flatMap(placesOf);
  for (const program of candidates) {
    const answer = await answerOf(program, '--version');
    if (answer !== null && /chrom(e|ium)/i.test(answer)) return program;
  }
  return null;
}

/**
 * Absolute paths of a program, in the order of the PATH.
 *
 * @param {string} program
 */
function placesOf(program) {
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => isAbsolute(folder));
  return folders.map((folder) => join(folder, program)).filter(existsSync);
}

/** @param {string} program */
function isOnPath(program) {
  return placesOf(program).length > 0;
}

/**
 * @param {string} program
 * @param {string} word
 * @returns {Promise<string | null>} null when it is not there or fails
 */
async function answerOf(program, word) {
  try {
    const { stdout, stderr } = await execute(program, [word], { timeout: 20_000 });
    return stdout + stderr;
  } catch {
    return null;
  }
}

/**
 * @typedef {object} Machine
 * @property {readonly Need[]} needs
 * @property {string} purpose who needs them
 * @property {boolean} isRoot
 * @property {boolean} hasApt Debian or Ubuntu
 * @property {(packages: readonly string[]) => Promise<void>} install
 */

/**
 * @param {Partial<Machine>} machine this one, unless a test says otherwise
 * @returns {Promise<void>} when all is there
 */
export async function ensureSystemPackages(machine = {}) {
  const { needs, purpose, isRoot, hasApt, install } = {
    needs: NEEDS,
    purpose: 'the tests',
    isRoot: process.getuid?.() === 0,
    hasApt: isDebianLike(),
    install: (/** @type {readonly string[]} */ packages) => withoutServices(() => installWithApt(packages)),
    ...machine,
  };
  const missing = await unmetOf(needs);
  if (missing.length === 0) return;
  if (isRoot && hasApt) await install(missing.map((need) => need.aptPackage));
  const unmet = await unmetOf(missing);
  if (unmet.length > 0) throw new SetUpError(whatToInstall(unmet, isRoot, purpose));
}

/**
 * @param {readonly Need[]} needs
 * @returns {Promise<Need[]>}
 */
async function unmetOf(needs) {
  const met = await Promise.all(needs.map((need) => need.isMet()));
  return needs.filter((_, index) => met[index] !== true);
}

function isDebianLike() {
  try {
    return /^ID(_LIKE)?=.*\b(debian|ubuntu)\b/m.test(readFileSync('/etc/os-release', 'utf8'));
  } catch {
    return false;
  }
}

/** @param {readonly string[]} packages */
async function installWithApt(packages) {
  say(`installing ${packages.join(', ')} with apt …`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const patient = ['-q', '-o', 'DPkg::Lock::Timeout=300'];
  for (const words of [['update'], ['install', '--yes', '--no-install-recommends', ...packages]]) {
    const { code, output } = await run('apt-get', [...patient, ...words], { cwd: '/', output: 'stderr', env });
    // An update may fail for one of many sources; what counts is whether the packages can be installed.
    if (code !== 0)
      say(`apt-get ${words[0]} failed with exit code ${code}${output === '' ? '' : `: ${output.trim()}`}`);
  }
}

/**
 * One line for people who have to install something themselves.
 *
 * @param {readonly Pick<Need, 'what' | 'aptPackage'>[]} unmet
 * @param {boolean} asRoot
 * @param {string} purpose
 * @returns {string}
 */
function whatToInstall(unmet, asRoot, purpose) {
  const sudo = asRoot ? '' : 'sudo ';
  const command = `${sudo}apt-get install --no-install-recommends ${unmet.map((need) => need.aptPackage).join(' ')}`;
  const browser = unmet.some((need) => need.aptPackage === 'chromium');
  const snap = browser ? ' (Ubuntu has Chromium only as a snap: snap install chromium, or install Google Chrome)' : '';
  return `${purpose} need${purpose.endsWith('s') ? '' : 's'} ${unmet.map((need) => need.what).join(' and ')}; on Debian and Ubuntu: ${command}${snap}`;
}
