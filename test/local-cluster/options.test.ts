import { describe, expect, it } from 'vitest';
import { parseLocalOptions } from '../../local-cluster/options.ts';

describe('the options of nodemesh local', () => {
  it('have the documented defaults', () => {
    expect(parseLocalOptions([])).toEqual({
      agents: 3,
      publicAgents: 1,
      demo: true,
      load: 20,
      scheduler: true,
      agentNet: '127.0.1',
      controlIp: '127.0.0.1',
      state: null,
      json: false,
      agentPingTimeoutMs: 3000,
    });
  });

  it('are all understood', () => {
    const words =
      '--agents 10 --public-agents 0 --no-demo --load 0 --no-scheduler --agent-net 127.0.9 --control-ip 127.0.9.254 --state /tmp/x --agent-ping-timeout 500ms --json';
    expect(parseLocalOptions(words.split(' '))).toEqual({
      agents: 10,
      publicAgents: 0,
      demo: false,
      load: 0,
      scheduler: false,
      agentNet: '127.0.9',
      controlIp: '127.0.9.254',
      state: '/tmp/x',
      json: true,
      agentPingTimeoutMs: 500,
    });
    expect(parseLocalOptions(['--demo']).demo).toBe(true);
  });

  it.each([
    ['--agents', '-1'],
    ['--agents', '3.5'],
    ['--load', 'fast'],
    ['--agent-net', '127.0.0.1'],
    ['--agent-net', '127.0.300'],
    ['--control-ip', 'localhost'],
    ['--agent-ping-timeout', '1ms'],
    ['--agent-ping-timeout', 'soon'],
  ])('%s %s is refused, and the message names the option', (option, value) => {
    expect(() => parseLocalOptions([option, value])).toThrow(option);
  });

  it('together may not be more agents than a /24 has room for', () => {
    expect(() => parseLocalOptions(['--agents', '150', '--public-agents', '150'])).toThrow('together');
  });
});
