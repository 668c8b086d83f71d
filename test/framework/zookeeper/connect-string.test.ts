/** zk:// URLs. */
import { expect, it } from 'vitest';
import { parseConnectString, serversText } from '../../../framework/zookeeper/connect-string.ts';

it.each([
  ['zk://localhost', { servers: [{ host: 'localhost', port: 2181 }], auth: null, path: null }],
  ['zk://h1:2182/mesos', { servers: [{ host: 'h1', port: 2182 }], auth: null, path: '/mesos' }],
  [
    'zk://user:p@ss:word@h1:2181,h2,10.0.0.3:2183/a/b/',
    {
      servers: [
        { host: 'h1', port: 2181 },
        { host: 'h2', port: 2181 },
        { host: '10.0.0.3', port: 2183 },
      ],
      auth: 'user:p@ss:word',
      path: '/a/b',
    },
  ],
  [
    'zk://[::1]:2181,[fe80::1]/',
    {
      servers: [
        { host: '::1', port: 2181 },
        { host: 'fe80::1', port: 2181 },
      ],
      auth: null,
      path: null,
    },
  ],
])('%s is read', (url, expected) => {
  expect(parseConnectString(url)).toEqual(expected);
});

it.each([
  ['http://h1:2181', 'begins with zk://'],
  ['zk://', "'' is no server"],
  ['zk://h1:2181,,h2', "'' is no server"],
  ['zk://h1:0', "'h1:0' is no server"],
  ['zk://h1:70000', "'h1:70000' is no server"],
  ['zk://h1:x', "'h1:x' is no server"],
  ['zk://user@h1', 'are user:password'],
  ['zk://:secret@h1', 'are user:password'],
  ['zk://h1/a//b', 'is no path'],
  ['zk://h1/a/../b', 'is no path'],
])('%s is refused', (url, words) => {
  expect(() => parseConnectString(url)).toThrow(words);
});

it('a password is in no message', () => {
  const { servers } = parseConnectString('zk://user:secret@h1,[::1]:2182/mesos');
  expect(serversText(servers)).toBe('h1:2181,[::1]:2182');
  expect(() => parseConnectString('zk://user:secret@h1:x')).toThrow(/^(?!.*secret)/);
  expect(() => parseConnectString('zk://:secret@h1')).toThrow(/^(?!.*secret)/);
});
