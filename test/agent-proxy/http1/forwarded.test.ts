import { describe, expect, it } from 'vitest';
import { ConnectionForwarded, type Labeler, type Side } from '../../../agent-proxy/http1/forwarded.ts';

const LOCAL: Side = { address: '10.0.0.1', port: 4140 };
const REMOTE: Side = { address: '2001:db8::1', port: 47_011 };

/** 0, 0.1, 0.2, … */
function counting(): () => number {
  let calls = -1;
  return () => {
    calls += 1;
    return (calls % 10) / 10;
  };
}

function connection(by: Labeler, forSide: Labeler, remote = REMOTE): ConnectionForwarded {
  return new ConnectionForwarded({ by, for: forSide }, 'my router', LOCAL, remote, counting());
}

it.each<[Labeler, Labeler, string]>([
  [{ kind: 'ip' }, { kind: 'ip' }, 'by=10.0.0.1;for="[2001:db8::1]"'],
  [{ kind: 'ip:port' }, { kind: 'ip:port' }, 'by="10.0.0.1:4140";for="[2001:db8::1]:47011"'],
  [{ kind: 'router' }, { kind: 'static', label: 'edge' }, 'by=_my_router;for=_edge'],
  [{ kind: 'static', label: '_edge' }, { kind: 'ip' }, 'by=_edge;for="[2001:db8::1]"'],
])('by %j, for %j', (by, forSide, sides) => {
  expect(connection(by, forSide).value('web', 'http')).toBe(`${sides};host=web;proto=http`);
});

it.each([
  ['::ffff:10.1.2.3', '10.1.2.3'],
  ['fe80::1%eth0', '"[fe80::1]"'],
])('names %s as %s', (address, name) => {
  const forwarded = connection({ kind: 'ip' }, { kind: 'ip' }, { address, port: 1 });
  expect(forwarded.value(null, 'https')).toBe(`by=10.0.0.1;for=${name};proto=https`);
});

describe('random names', () => {
  it('are an underscore and six letters or digits, new for each request', () => {
    const forwarded = connection({ kind: 'requestRandom' }, { kind: 'requestRandom' });
    const [first, second] = [forwarded.value(null, 'http'), forwarded.value(null, 'http')];
    expect(first).toMatch(/^by=_[A-Za-z0-9]{6};for=_[A-Za-z0-9]{6};proto=http$/);
    expect(second).not.toBe(first);
  });

  it('stay for a connection where they are to', () => {
    const forwarded = connection({ kind: 'connectionRandom' }, { kind: 'connectionRandom' });
    expect(forwarded.value(null, 'http')).toBe(forwarded.value(null, 'http'));
  });
});

it.each([
  ['web:8080', '"web:8080"'],
  ['a"b\\c', '"a\\"b\\\\c"'],
])('the host %s is written %s', (host, written) => {
  expect(connection({ kind: 'router' }, { kind: 'router' }).value(host, 'http')).toContain(`;host=${written};proto`);
});
