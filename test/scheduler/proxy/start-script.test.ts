/**
 * The start script, run as a host does that has nothing: no PATH, no environment. What an old host's loader says is said here
 * by a stand-in of the Node.js, word for word as hosts did (https://github.com/nodejs/node/issues/51777 for CentOS 7).
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { type Host, startScript, UNFIT_HOST } from '../../../scheduler/proxy/start-script.ts';
import { useTempDir } from '../../fixtures/proxy.ts';

/** Each is a /bin/sh somewhere. */
const SHELLS = ['/bin/dash', '/bin/bash', '/bin/busybox'].filter((shell) => existsSync(shell));
const PROGRAM = 'console.log(JSON.stringify({ words: process.argv.slice(2), env: process.env }));\n';
const NEW_KERNEL = '5.14.0-503.el9.x86_64';

let root: string;
let host: Host;

beforeEach(async () => {
  root = await useTempDir();
  host = { libraries: [join(root, 'lib64'), join(root, 'lib/*-linux-gnu')], kernel: join(root, 'osrelease') };
  mkdirSync(join(root, 'bin'));
  mkdirSync(join(root, 'lib64'));
  writeFileSync(host.kernel, `${NEW_KERNEL}\n`);
  writeFileSync(join(root, 'program.mjs'), PROGRAM);
  writeFileSync(join(root, 'bin', 'start'), startScript({ script: '../program.mjs', host }), { mode: 0o755 });
});

function useNode(script?: string): void {
  if (script === undefined) symlinkSync(process.execPath, join(root, 'bin', 'node'));
  else writeFileSync(join(root, 'bin', 'node'), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
}

function start(words: readonly string[] = [], { shell = '/bin/sh', env = {} as NodeJS.ProcessEnv, at = '' } = {}) {
  const called = at === '' ? join(root, 'bin', 'start') : at;
  const program = shell === '/bin/busybox' ? [shell, 'sh'] : [shell];
  const { status, stdout, stderr } = spawnSync(program[0] ?? '', [...program.slice(1), called, ...words], {
    cwd: root,
    env: { PATH: '', ...env },
  });
  return { status, stdout: stdout.toString(), stderr: stderr.toString() };
}

function glibc(version: string, directory = 'lib64'): void {
  mkdirSync(join(root, directory), { recursive: true });
  writeFileSync(join(root, directory, `libc-${version}.so`), '');
  symlinkSync(`libc-${version}.so`, join(root, directory, 'libc.so.6'));
}

const STAND_IN = 'exit 0';
const CENTOS_7 = `
echo "./node: /lib64/libm.so.6: version \\\`GLIBC_2.27' not found (required by ./node)" >&2
echo "./node: /lib64/libc.so.6: version \\\`GLIBC_2.28' not found (required by ./node)" >&2
echo "./node: /lib64/libstdc++.so.6: version \\\`CXXABI_1.3.9' not found (required by ./node)" >&2
exit 1`;

describe.each(SHELLS)('with %s', (shell) => {
  test('the program gets its words as they are, and nothing of the host is needed', () => {
    useNode();
    const words = ['a b', "it's", '$HOME', '', '*'];
    const { status, stdout, stderr } = start(words, { shell, env: { LD_LIBRARY_PATH: '/opt/mesosphere/lib' } });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const said = JSON.parse(stdout);
    expect(said.words).toEqual(words);
    expect(said.env).not.toHaveProperty('LD_LIBRARY_PATH');
  });

  test('CentOS 7 is one line that says what it has and what to do', () => {
    useNode(CENTOS_7);
    glibc('2.17');
    writeFileSync(host.kernel, '3.10.0-1160.el7.x86_64\n');
    const { status, stdout, stderr } = start([], { shell });
    expect({ status, stdout }).toEqual({ status: UNFIT_HOST, stdout: '' });
    expect(stderr).toBe(
      'nodemesh: the Node.js of this archive needs glibc 2.28, and this host has glibc 2.17 (CentOS 7 and RHEL 7 are too old), and Linux 3.10, where it is made for 4.18 and later: use a newer host, or run nodemesh in its image (docs/releases.md, Old hosts)\n',
    );
  });

  test.each([
    ['3.10.0-1160.el7.x86_64', 'Linux 3.10'],
    ['4.9.0', 'Linux 4.9'],
    ['4.17', 'Linux 4.17'],
  ])('an old kernel under a new C library (%s) is named, and tried', (kernel, named) => {
    useNode(STAND_IN);
    writeFileSync(host.kernel, `${kernel}\n`);
    const { status, stderr } = start([], { shell });
    expect(status).toBe(0);
    expect(stderr).toBe(
      `nodemesh: ${named} is older than 4.18, the oldest that this Node.js is made for; it starts, but nobody has tried it\n`,
    );
  });

  test.each(['4.18.0-553.el8.x86_64', '4.19', '5.4.0', '6.12.9+', '10.0', ''])('the kernel %j is no word', (kernel) => {
    useNode(STAND_IN);
    writeFileSync(host.kernel, kernel === '' ? '' : `${kernel}\n`);
    expect(start([], { shell })).toMatchObject({ status: 0, stderr: '' });
  });

  test('a file that is no program of this processor is one line too', () => {
    writeFileSync(join(root, 'bin', 'node'), Buffer.from('\x7fELF\x02\x01\x01\0'), { mode: 0o755 });
    const { status, stderr } = start([], { shell });
    expect(status).toBe(UNFIT_HOST);
    expect(stderr).toMatch(/^nodemesh: [^\n]*is for another processor than this host's[^\n]*\n$/);
  });

  test('so is a loader that is not there, as on a host without glibc', () => {
    writeFileSync(join(root, 'bin', 'node'), '#!/nowhere/ld-linux-x86-64.so.2\n', { mode: 0o755 });
    const { status, stderr } = start([], { shell });
    expect(status).toBe(UNFIT_HOST);
    expect(stderr).toMatch(/^nodemesh: [^\n]*this host has no glibc[^\n]*\n$/);
  });

  test('and a file that may not be run', () => {
    useNode('exit 0');
    chmodSync(join(root, 'bin', 'node'), 0o644);
    const { status, stderr } = start([], { shell });
    expect(status).toBe(UNFIT_HOST);
    expect(stderr).toMatch(/^nodemesh: [^\n]*may not be run from [^\n]*bin[^\n]*\n$/);
  });
});

test.each<[string, string, RegExp]>([
  [
    'a library that is missing',
    'echo "node: error while loading shared libraries: libatomic.so.1: cannot open shared object file" >&2; exit 127',
    /lacks a library on this host \(libatomic\.so\.1: cannot open shared object file\)/,
  ],
  [
    'no C++ library',
    'echo "node: error while loading shared libraries: libstdc++.so.6: cannot open shared object file" >&2; exit 127',
    /needs libstdc\+\+ of GCC 5 or newer/,
  ],
  [
    'an old C++ library',
    'echo "node: /lib64/libstdc++.so.6: version \\`GLIBCXX_3.4.21\' not found (required by node)" >&2; exit 1',
    /needs libstdc\+\+ of GCC 5 or newer/,
  ],
  [
    'whatever else it says',
    'echo "node: --nonsense is not allowed in NODE_OPTIONS"; echo more; exit 9',
    /does not start \(exit code 9\): node: --nonsense is not allowed in NODE_OPTIONS$/,
  ],
])('%s is named in one line', (_, node, line) => {
  useNode(node);
  const { status, stdout, stderr } = start();
  expect({ status, stdout }).toEqual({ status: UNFIT_HOST, stdout: '' });
  expect(stderr.split('\n')).toHaveLength(2);
  expect(stderr.trimEnd()).toMatch(line);
});

test("Debian's place of the C library is looked at as well; a version that is not the one in use is not told", () => {
  useNode(CENTOS_7);
  writeFileSync(join(root, 'lib64', 'libc-2.12.so'), '');
  expect(start().stderr).toMatch(/this host has a C library \(glibc\) older than that/);
  glibc('2.24', 'lib/x86_64-linux-gnu');
  expect(start().stderr).toMatch(/this host has glibc 2\.24 /);
});

test('it finds its place from any directory, and says why a link to it does not do', () => {
  useNode();
  expect(start(['x'], { at: 'bin/start' })).toMatchObject({ status: 0, stderr: '' });
  symlinkSync(join(root, 'bin', 'start'), join(root, 'link'));
  const { status, stderr } = start([], { at: join(root, 'link') });
  expect(status).toBe(UNFIT_HOST);
  expect(stderr).toMatch(/^nodemesh: there is no Node\.js beside [^\n]*a link to it does not do\n$/);
});
