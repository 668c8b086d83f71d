/** The option `marathon`, as it may be written. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { marathonDentries } from '../../../scheduler/config/marathons.ts';
import { readConfig, UsageError } from '../../../scheduler/config.ts';
import { marathonSources } from '../../../scheduler/marathon-access.ts';
import { fixedAuthorization } from '../support/fixed-authorization.ts';

let directory: string;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'nodemesh-marathons-'));
  writeFileSync(join(directory, 'login'), 'eu:secret\n');
  writeFileSync(join(directory, 'bad'), 'no colon\n');
});
afterAll(() => rmSync(directory, { recursive: true }));

const NEEDED = ['--master=http://m:5050', '--state=file:/tmp/x'];
const read = (...args: string[]) => readConfig([...NEEDED, ...args]);

function inFile(yaml: string) {
  const path = join(directory, 'config.yaml');
  writeFileSync(path, yaml.replaceAll('DIR', directory));
  return read(`--config=${path}`);
}

function faults(run: () => unknown): string[] {
  try {
    run();
  } catch (error) {
    if (error instanceof UsageError)
      return error.lines.map((line) => line.replace('nodemesh: ', '').replaceAll(directory, 'DIR'));
    throw error;
  }
  return [];
}

describe('Marathons', () => {
  test('may be one or several, the others with a prefix', () => {
    const { marathons } = read('--marathon=http://a:8080/', '--marathon=eu=https://b/service/marathon');
    expect(marathons).toEqual([
      { url: 'http://a:8080', prefix: 'io.l5d.marathon', place: null, login: null, ca: null },
      { url: 'https://b/service/marathon', prefix: 'eu', place: null, login: null, ca: null },
    ]);
    expect(marathonDentries(marathons)).toBe('/marathonId => /#/eu ; /marathonId => /#/io.l5d.marathon');
  });

  test('may be blocks in a file, with a login, whom to trust, and a place in the dtab', () => {
    const { marathons } = inFile(`
marathon:
  - main=http://a:8080
  - { prefix: eu, url: "http://b:8080", credential-file: DIR/login, place: /eu }
  - { prefix: us, url: "http://c:8080", login: none }
`);
    expect(marathons).toEqual([
      { url: 'http://a:8080', prefix: 'main', place: null, login: null, ca: null },
      {
        ...{ url: 'http://b:8080', prefix: 'eu', place: '/eu', ca: null },
        login: { kind: 'basic', credential: Buffer.from('eu:secret').toString('base64') },
      },
      { url: 'http://c:8080', prefix: 'us', place: null, login: { kind: 'none' }, ca: null },
    ]);
    expect(marathonDentries(marathons)).toBe('/marathonId => /#/us ; /eu => /#/eu ; /marathonId => /#/io.l5d.marathon');
    expect(inFile('marathon: http://a:8080').marathons).toHaveLength(1);
  });

  test.each<[string, () => unknown, RegExp]>([
    ['no URL', () => read('--marathon=eu'), /^--marathon.0: 'eu' is not a URL like/],
    ['no prefix', () => read('--marathon=http://a', '--marathon=http://b'), /^--marathon.1: needs a prefix/],
    [
      'one prefix twice',
      () => read('--marathon=http://a', '--marathon=e=http://b', '--marathon=e=http://c'),
      /^--marathon.2: the prefix e is/,
    ],
    [
      'the prefix of the first',
      () => read('--marathon=http://a', '--marathon=io.l5d.marathon=http://b'),
      /is that of another Marathon/,
    ],
    [
      'a prefix of the mesh',
      () => read('--marathon=http://a', '--marathon=io.nodemesh.vip=http://b'),
      /must not begin with io.nodemesh/,
    ],
    ['an odd prefix', () => read('--marathon=http://a', '--marathon=a b=http://b'), /'a b' must be 1 to 63 of/],
    ['an unknown key', () => inFile('marathon: [{ url: "http://a", prefx: eu }]'), /marathon.0: .*prefx/],
    [
      'a bad credential',
      () => inFile('marathon: [{ url: "http://a", credential-file: DIR/bad }]'),
      /credentialFile the file DIR\/bad must hold one line, user:password$/,
    ],
    [
      'two logins',
      () => inFile('marathon: [{ url: "http://a", login: none, credential-file: DIR/login }]'),
      /has more than one of/,
    ],
    [
      'a bad place',
      () => inFile('marathon: [{ url: "http://a", place: eu }]'),
      /marathon.0.place: must be a path of the dtab/,
    ],
    ['a number', () => inFile('marathon: [[7]]'), /marathon.0: must be a URL, or a block with one/],
  ])('%s is told', (_name, run, expected) => {
    const told = faults(run);
    expect(told).toHaveLength(1);
    expect(told[0]).toMatch(expected);
  });
});

describe('the login', () => {
  const header = async (index: number, ...args: string[]): Promise<string | null | undefined> => {
    const access = { authorization: fixedAuthorization('token=all'), tls: undefined };
    return marathonSources(read(...args), access, { marathon: () => undefined })[index]?.access.authorization?.header();
  };

  test('is none, that of all, or its own', async () => {
    expect(await header(0, '--marathon=http://a')).toBeUndefined();
    const credential = `--marathon-credential-file=${join(directory, 'login')}`;
    const basic = `Basic ${Buffer.from('eu:secret').toString('base64')}`;
    expect(await header(0, '--marathon=http://a', credential)).toBe(basic);
    expect(await header(1, '--marathon=http://a', '--marathon=eu=http://b', credential)).toBe(basic);
  });
});
