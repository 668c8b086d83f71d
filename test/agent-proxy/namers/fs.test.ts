/** io.l5d.fs on real directories: what a path leads to, and how edits arrive. */
import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { parseAddressLines } from '../../../agent-proxy/namers/address-lines.ts';
import { DirectoryWatches } from '../../../agent-proxy/namers/directory-watches.ts';
import { FsNamer } from '../../../agent-proxy/namers/fs.ts';
import { isFile, readShortFile } from '../../../agent-proxy/namers/fs-files.ts';
import { InetAddresses } from '../../../agent-proxy/namers/inet.ts';
import type { Unsubscribe } from '../../../agent-proxy/routing/activity.ts';
import { eventually } from '../../fixtures/eventually.ts';

describe('lines', () => {
  const read = (text: string) =>
    parseAddressLines(text, 'web').endpoints.map(({ address, port, weight }) => `${address} ${port} ${weight}`);

  it('are host, port and perhaps a weight', () => {
    expect(read('10.0.0.1 80\nweb.local\t8080 * 0.5\r\n::1 80 * .25\n10.0.0.2 80*2.')).toEqual([
      '10.0.0.1 80 1',
      'web.local 8080 0.5',
      '::1 80 0.25',
      '10.0.0.2 80 2',
    ]);
  });

  it('may be empty or comments, and take an address out by weight 0', () => {
    expect(read('\n# all of them\n  10.0.0.1 80 # the first\n10.0.0.2 80 * 0\n')).toEqual(['10.0.0.1 80 1']);
  });

  it.each(['10.0.0.1', '10.0.0.1:80', '10.0.0.1 0', '10.0.0.1 65536', 'a 80 * -1', 'a 80 * x', 'a 80 2', 'a b'])(
    "'%s' is left out, and said",
    (line) => {
      const { endpoints, faults } = parseAddressLines(`10.0.0.9 80\n${line}`, 'web');
      expect(endpoints).toHaveLength(1);
      expect(faults).toEqual([`line 2: '${line}' is not 'host port [* weight]'`]);
    },
  );
});

describe('io.l5d.fs', () => {
  let root: string;
  let namer: FsNamer;
  let warnings: string[];
  let watches: DirectoryWatches;
  let stops: Unsubscribe[];

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'fs-namer-'));
    warnings = [];
    watches = new DirectoryWatches();
    stops = [];
    namer = new FsNamer({
      prefix: ['io.l5d.fs'],
      rootDir: join(root, 'disco'),
      inet: new InetAddresses({
        lookup: (host) => Promise.resolve(host === 'two.test' ? ['10.9.0.1', '10.9.0.2'] : []),
      }),
      watches,
      warn: (message) => warnings.push(message),
    });
    await mkdir(join(root, 'disco'));
  });
  afterEach(async () => {
    for (const stop of stops) stop();
    expect(watches.size).toBe(0);
    await rm(root, { recursive: true, force: true });
  });

  const write = (name: string, text: string) => writeFile(join(root, 'disco', name), text);

  /** Observes a path, and all that it is bound to. What it gives shows how that is now. */
  function bind(...rest: string[]): () => string {
    const lookup = namer.lookup(rest);
    let stopAddresses: Unsubscribe = () => undefined;
    const follow = (): void => {
      const { state } = lookup;
      stopAddresses();
      if (state.kind !== 'ok' || state.value.kind !== 'leaf' || state.value.value.kind !== 'bound') return;
      stopAddresses = state.value.value.bound.addresses.observe(() => undefined);
    };
    stops.push(lookup.observe(follow), () => stopAddresses());
    return () => {
      const { state } = lookup;
      if (state.kind !== 'ok') return state.kind;
      if (state.value.kind !== 'leaf' || state.value.value.kind !== 'bound') return state.value.kind;
      const { id, residual, addresses } = state.value.value.bound;
      const to =
        addresses.state.kind === 'bound'
          ? addresses.state.endpoints.map(({ instance, weight }) => `${instance}${weight === 1 ? '' : `*${weight}`}`)
          : [addresses.state.kind];
      return `/${id.join('/')} + /${residual.join('/')} = ${to.join(' ')}`;
    };
  }

  const becomes = (shown: () => string, expected: string) =>
    eventually(expected, () => {
      expect(shown()).toBe(expected);
      return true;
    });

  it('binds a file and gives what is left of the path', async () => {
    await write('web', '127.0.0.1 8080\n127.0.0.2 8080 * 0.5\n');
    const web = bind('web', 'a', 'b');
    expect(web()).toBe('pending');
    await becomes(web, '/#/io.l5d.fs/web + /a/b = 127.0.0.1:8080 127.0.0.2:8080*0.5');
  });

  it('goes down directories, and a directory itself is no name', async () => {
    await mkdir(join(root, 'disco/team/deep'), { recursive: true });
    await write('team/deep/api', '127.1 80');
    await becomes(bind('team', 'deep', 'api', 'x'), '/#/io.l5d.fs/team/deep/api + /x = 127.0.0.1:80');
    await becomes(bind('team', 'deep'), 'neg');
    await becomes(bind(), 'neg');
  });

  it('resolves hosts, each address an instance', async () => {
    await write('web', 'two.test 80 * 2\n');
    await becomes(bind('web'), '/#/io.l5d.fs/web + / = 10.9.0.1:80*2 10.9.0.2:80*2');
  });

  it('follows edits, in place and by a new file, without a new look-up', async () => {
    await write('web', '127.0.0.1 1\n');
    const web = bind('web');
    await becomes(web, '/#/io.l5d.fs/web + / = 127.0.0.1:1');
    await write('web', '127.0.0.1 2\n');
    await becomes(web, '/#/io.l5d.fs/web + / = 127.0.0.1:2');
    await write('.web.new', '127.0.0.1 3\n');
    await rename(join(root, 'disco/.web.new'), join(root, 'disco/web'));
    await becomes(web, '/#/io.l5d.fs/web + / = 127.0.0.1:3');
  });

  it('is Neg while a file is away', async () => {
    const web = bind('web');
    await becomes(web, 'neg');
    await write('web', '127.0.0.1 1\n');
    await becomes(web, '/#/io.l5d.fs/web + / = 127.0.0.1:1');
    await rm(join(root, 'disco/web'));
    await becomes(web, 'neg');
    await write('web', '127.0.0.1 2\n');
    await becomes(web, '/#/io.l5d.fs/web + / = 127.0.0.1:2');
  });

  it('looks again for a root directory that is not there', async () => {
    await rm(join(root, 'disco'), { recursive: true });
    const web = bind('web');
    await becomes(web, 'neg');
    await mkdir(join(root, 'disco'));
    await write('web', '127.0.0.1 1\n');
    await becomes(web, '/#/io.l5d.fs/web + / = 127.0.0.1:1');
  });

  it('looks at the files that changed, and not at all of their directory', async () => {
    const names = Array.from({ length: 200 }, (_, index) => `s${index}`);
    await Promise.all(names.map((name) => write(name, '10.0.0.1 80')));
    const looks = vi.spyOn(watches, 'whenFree');
    onTestFinished(() => looks.mockRestore());
    const shown = names.map((name) => bind(name));
    await eventually('all are there', () => shown.every((one) => one().endsWith(' = 10.0.0.1:80')));
    // For each name its directory and its file; and what is new once more, after its watch began.
    await eventually('all is watched', () => looks.mock.calls.length >= 800);
    looks.mockClear();
    await write('s7', '10.0.0.2 80');
    await becomes(shown[7] as () => string, '/#/io.l5d.fs/s7 + / = 10.0.0.2:80');
    // The first change may have met the last of the looks of before; the second is seen by its notification alone.
    await write('s7', '10.0.0.3 80');
    await becomes(shown[7] as () => string, '/#/io.l5d.fs/s7 + / = 10.0.0.3:80');
    expect(looks.mock.calls.length).toBeLessThan(20);
  });

  it('follows links, and what they lead to', async () => {
    await mkdir(join(root, 'v1'));
    await mkdir(join(root, 'v2'));
    await writeFile(join(root, 'v1/web'), '127.0.0.1 1\n');
    await writeFile(join(root, 'v2/web'), '127.0.0.1 2\n');
    await symlink(join(root, 'v1'), join(root, 'disco/..data'));
    await symlink('..data/web', join(root, 'disco/web'));
    const web = bind('web');
    await becomes(web, '/#/io.l5d.fs/web + / = 127.0.0.1:1');
    await writeFile(join(root, 'v1/web'), '127.0.0.1 11\n');
    await becomes(web, '/#/io.l5d.fs/web + / = 127.0.0.1:11');
    await symlink(join(root, 'v2'), join(root, 'disco/..next'));
    await rename(join(root, 'disco/..next'), join(root, 'disco/..data'));
    await becomes(web, '/#/io.l5d.fs/web + / = 127.0.0.1:2');
  });

  it('never leaves its root', async () => {
    await writeFile(join(root, 'secret'), '127.0.0.1 1\n');
    for (const rest of [['..', 'secret'], ['../secret'], ['.'], [''], ['a\0b'], [join(root, 'secret')]]) {
      await becomes(bind(...rest), 'neg');
    }
  });

  it('takes the lines that it can read, and says which it cannot', async () => {
    await write('web', '127.0.0.1 1\nnonsense\n');
    await becomes(bind('web'), '/#/io.l5d.fs/web + / = 127.0.0.1:1');
    expect(warnings).toEqual([
      `${join(root, 'disco/web')} line 2: 'nonsense' is not 'host port [* weight]': it is left out`,
    ]);
  });

  it('lists its names', async () => {
    await mkdir(join(root, 'disco/team'));
    await write('web', '');
    await write('team/api', '');
    await write('.hidden', '');
    expect(await namer.names()).toEqual([['team', 'api'], ['web']]);
  });
});

describe('a glance at a file', () => {
  let folder: string;
  const at = (name: string): string => join(folder, name);

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'glance-'));
    await writeFile(at('short'), '10.0.0.1 80\n');
    await writeFile(at('long'), '#'.repeat(5_000));
    await writeFile(at('empty'), '');
    await symlink('short', at('link'));
    execFileSync('mkfifo', [at('pipe')]);
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('reads what is short and as it is; everything else takes a look', () => {
    expect(readShortFile(at('short'))).toBe('10.0.0.1 80\n');
    const others = ['long', 'empty', 'link', 'pipe', 'nothing', '.'];
    expect(others.map((name) => readShortFile(at(name)))).toEqual(others.map(() => null));
  });

  it('knows a file, also behind a link', () => {
    const names = ['short', 'long', 'empty', 'link', 'pipe', 'nothing', '.', 'short/below'];
    expect(names.filter((name) => isFile(at(name)))).toEqual(['short', 'long', 'empty', 'link']);
  });
});
