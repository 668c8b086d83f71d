/** The TOML of the DC/OS CLI: what it writes is read, and what is more than that is told by its line. */
import { expect, test } from 'vitest';
import { readToml } from '../../../../scheduler/cli/dcos/toml.ts';

const values = (text: string): object => Object.fromEntries(readToml(text).values);

test('what the DC/OS CLI writes', () => {
  const text = [
    '[cluster]',
    '  name = "prod"',
    '',
    '[core] # of all commands',
    'dcos_acs_token = "eyJ.a_b-c.d" # until tomorrow',
    'dcos_url = "https://dcos.example"\r',
    "ssl_verify = '/home/me/.dcos/clusters/1/dcos_ca.crt'",
    'timeout = 180',
    'reporting = false',
    'pagination = true',
    '[dcos-enterprise.cli]',
    '"a key".b = "x"',
  ].join('\n');
  expect(readToml(text).unread).toEqual([]);
  expect(values(text)).toEqual({
    'cluster.name': 'prod',
    'core.dcos_acs_token': 'eyJ.a_b-c.d',
    'core.dcos_url': 'https://dcos.example',
    'core.ssl_verify': '/home/me/.dcos/clusters/1/dcos_ca.crt',
    'core.timeout': '180',
    'core.reporting': 'false',
    'core.pagination': 'true',
    'dcos-enterprise.cli.a key.b': 'x',
  });
});

test.each([
  [String.raw`a = "tab\tquote\" back\\slash é\U0001F600"`, 'tab\tquote" back\\slash é😀'],
  [String.raw`a = 'C:\Users\me'`, String.raw`C:\Users\me`],
  ['a = "# no comment"', '# no comment'],
  ['a = ""', ''],
])('the value of %s', (line, value) => {
  expect(values(line)).toEqual({ a: value });
});

test.each(['a = """', 'a = [1, 2]', 'a = {b = 1}', 'a', 'a = bare words', '= 1', String.raw`a = "\q"`, 'a = "open'])(
  'a line that is not understood is told: %s',
  (line) => {
    expect(readToml(`x = 1\n${line}\ny = 2`)).toEqual({
      values: new Map([
        ['x', '1'],
        ['y', '2'],
      ]),
      unread: [2],
    });
  },
);

test('keys of a table that is not understood belong to no other', () => {
  const { values: read, unread } = readToml('[core]\na = 1\n[[commands]]\na = 2\nb = 3\n[other]\nc = 4');
  expect(Object.fromEntries(read)).toEqual({ 'core.a': '1', 'other.c': '4' });
  expect(unread).toEqual([3, 4, 5]);
});
