import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { AgentView } from '../../../framework/agent.ts';
import { mismatch, parseConstraint } from '../../../framework/offers/constraints.ts';
import { listed } from '../sketches.ts';

const agent = (attributes: Record<string, string>, more: Partial<AgentView> = {}): AgentView => ({
  ...listed('a').view,
  attributes,
  ...more,
});
const why = (text: string, view: AgentView): string | null => mismatch([parseConstraint(text)], view);

describe('a constraint', () => {
  test.each([
    ['rack:IS:r1', { rack: 'r1' }, null],
    ['rack:IS:r1', { rack: 'r11' }, 'rack r11 is not r1'],
    ['rack:IS:r1', {}, 'the agent has no rack, which is not r1'],
    ['rack:CLUSTER:r1', { rack: 'r2' }, 'rack r2 is not r1'],
    ['disks:IS:4', { disks: '4.0' }, null],
    ['rack:IS:', { rack: '0' }, 'rack 0 is not '],
    ['rack:LIKE:r[1-3]', { rack: 'r2' }, null],
    ['rack:LIKE:r[1-3]', { rack: 'xr2' }, 'rack xr2 is not like r[1-3]'],
    ['rack:LIKE:a|b', { rack: 'b' }, null],
    ['rack:LIKE:a|b', { rack: 'bb' }, 'rack bb is not like a|b'],
    ['rack:LIKE:r1', {}, 'the agent has no rack, which is not like r1'],
    ['rack:UNLIKE:r[1-3]', { rack: 'r2' }, 'rack r2 is like r[1-3]'],
    ['rack:UNLIKE:r[1-3]', { rack: 'r9' }, null],
    ['rack:UNLIKE:r1', {}, null],
    ['rack:UNIQUE', {}, 'the agent has no rack, which is counted'],
    ['time:LIKE:\\d+:\\d+', { time: '10:30' }, null],
  ])('%s on %j: %s', (text, attributes, expected) => {
    expect(why(text, agent(attributes))).toBe(expected);
  });

  test.each([
    ['hostname:LIKE:a\\..*', { hostname: 'b.example' }, 'hostname'],
    ['@hostname:IS:a.example', { hostname: 'b.example' }, 'hostname'],
    ['@region:IS:west', { region: 'east' }, 'region'],
    ['@zone:IS:z1', { zone: 'z2' }, 'zone'],
    ['@public:IS:false', { isPublic: true }, 'public'],
  ] as const)('%s looks at the agent itself', (text, other, field) => {
    const fits = agent({}, { hostname: 'a.example', region: 'west', zone: 'z1', isPublic: false });
    expect(why(text, fits)).toBeNull();
    expect(why(text, { ...fits, ...other })).toMatch(new RegExp(`@${field} .* is not`));
  });

  test('has a region only where the agent has one', () => {
    expect(why('@region:IS:west', agent({}))).toBe('the agent has no @region, which is not west');
  });

  test('LIKE takes the whole value, and UNLIKE is its opposite', () => {
    const value = fc.string({ unit: 'grapheme-ascii', minLength: 1 });
    fc.assert(
      fc.property(value, value, (wanted, has) => {
        const literal = wanted.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
        const like = why(`rack:LIKE:${literal}`, agent({ rack: has })) === null;
        expect(like).toBe(wanted === has);
        expect(why(`rack:UNLIKE:${literal}`, agent({ rack: has })) === null).toBe(!like);
      }),
    );
  });

  test.each([
    ['rack', /'rack' is not FIELD:OPERATOR/],
    [':IS:1', /is not FIELD:OPERATOR/],
    ['rack:IS', /IS needs a value here/],
    ['rack:CLUSTER', /CLUSTER needs a value here/],
    ['rack:LIKE', /LIKE needs an expression/],
    ['rack:LIKE:[', /'rack:LIKE:\[': .*Unterminated/],
    ['rack:UNIQUE:1', /UNIQUE takes no value/],
    ['rack:MAX_PER', /MAX_PER takes a whole number from 1 on/],
    ['rack:MAX_PER:0', /MAX_PER takes a whole number from 1 on/],
    ['rack:MAX_PER:1.5', /MAX_PER takes a whole number from 1 on/],
    ['rack:GROUP_BY', /GROUP_BY spreads .*: use MAX_PER/],
    ['rack:NEAR:1', /there is no operator NEAR; there are IS, CLUSTER, LIKE, UNLIKE, UNIQUE, MAX_PER/],
  ])('%s is refused in one sentence', (text, message) => {
    expect(() => parseConstraint(text)).toThrow(message);
  });
});
