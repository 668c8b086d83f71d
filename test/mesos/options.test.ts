/** The command line of `npm run test:mesos`. */
import { expect, test } from 'vitest';
import { parseOptions } from './options.mjs';

test('what comes after a second -- is for the scheduler', () => {
  const options = parseOptions([
    ...['--master', 'zk://a/mesos', '--ports', 'in=2,out=1,admin=3', '--agent-stop', 'stop -- {ip}', '--agents', '2'],
    ...['--', '--principal', 'p', '--master', 'else'],
  ]);
  expect(options).toMatchObject({
    ...{ master: 'zk://a/mesos', ports: { out: 1, in: 2, admin: 3 }, agents: 2, archive: null, stories: null },
    commands: { agentStop: 'stop -- {ip}', agentStart: null, masterKill: null, proxyKill: null },
    words: ['--principal', 'p', '--master', 'else'],
  });
});

test.each([
  [[], /--master is missing/],
  [['--master', 'a:1', '--agents', '0'], /--agents 0 is not/],
  [['--master', 'a:1', '--ports', 'out=1,in=2'], /--ports out=1,in=2 is not/],
  [['--master', 'a:1', '--agent', 'x'], /--agent/],
])('%j is refused in one line', (words, why) => {
  expect(() => parseOptions(words)).toThrow(why);
});
