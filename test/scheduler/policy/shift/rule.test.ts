import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readDtab, showDtab } from '../../../../agent-proxy/routing/dtab.ts';
import { destination, ruleIn, sameDestination, withRule } from '../../../../scheduler/policy/shift/rule.ts';

const WAY = { service: 'team/web', from: 'team/web', to: 'web-v2' };
const RULE = '/marathonId/team/web';

test('a destination is a split in percent, the target alone in the end, and no rule where the name leads to itself', () => {
  expect(destination(WAY, 0)).toBeNull();
  expect(destination(WAY, 1)).toBe('1 * /#/io.l5d.marathon/web-v2 & 99 * /#/io.l5d.marathon/team/web');
  expect(destination(WAY, 0.1)).toBe('0.1 * /#/io.l5d.marathon/web-v2 & 99.9 * /#/io.l5d.marathon/team/web');
  expect(destination(WAY, 100)).toBe('/#/io.l5d.marathon/web-v2');
  const back = { service: 'web', from: 'web-v2', to: 'web' };
  expect(destination(back, 0)).toBe('/#/io.l5d.marathon/web-v2');
  expect(destination(back, 100)).toBeNull();
});

test('the rule of a text is the last for just that app', () => {
  expect(
    ruleIn(readDtab('/marathonId => /x ; /marathonId/team => /y ; /marathonId/team/web/v1 => /z'), 'team/web'),
  ).toBeNull();
  const rule = ruleIn(readDtab(`${RULE} => /a ; ${RULE} => 1 * /b & 9 * /c ; /svc => /d`), 'team/web');
  expect(rule).toBe('/b & 9.00*/c');
  expect(sameDestination(rule, '1*/b&9*/c')).toBe(true);
  expect(sameDestination(rule, '/b & /c')).toBe(false);
  expect([sameDestination(null, null), sameDestination(null, '/b'), sameDestination('/b', null)]).toEqual([
    true,
    false,
    false,
  ]);
});

describe('a text keeps what somebody wrote', () => {
  const comments = '# ours, do not touch\n/marathonId => /#/io.l5d.marathon ;\n\n/svc => /x # the rest\n';

  test('where a rule is added, changed and taken out again', () => {
    const added = withRule(comments.trim(), 'team/web', '1 * /b & 99 * /c');
    expect(added).toBe(`${comments.trim()}\n;\n${RULE} => 1 * /b & 99 * /c`);
    const changed = withRule(added, 'team/web', '10 * /b & 90 * /c');
    expect(changed).toBe(`${comments.trim()}\n;\n${RULE} => 10 * /b & 90 * /c`);
    expect(withRule(changed, 'team/web', null)).toBe(comments.trim());
  });

  test.each([
    ['', `${RULE} => /b`],
    ['/x => /y', `/x => /y ;\n${RULE} => /b`],
    ['/x => /y ;', `/x => /y ;\n${RULE} => /b`],
    ['# nothing yet', `# nothing yet\n${RULE} => /b`],
    [`/x => /y ; ${RULE} => /a ; /z => /y`, `/x => /y ;\n${RULE} => /b ;\n/z => /y`],
    [`/x => /y ;\n${RULE} => /a ;\n# z\n/z => /y`, `/x => /y ;\n${RULE} => /b ;\n# z\n/z => /y`],
  ])('%j becomes %j', (text, expected) => {
    expect(withRule(text, 'team/web', '/b')).toBe(expected);
  });

  test.each([
    [`${RULE} => /a`, ''],
    [`${RULE} => /a ; /z => /y`, ' /z => /y'],
    [`/x => /y ;\n${RULE} => /a ;\n# z\n/z => /y`, '/x => /y ;\n# z\n/z => /y'],
  ])('%j without the rule is %j', (text, expected) => {
    expect(withRule(text, 'team/web', null)).toBe(expected);
  });

  test('and means what it shall, whatever it is', () => {
    const rules = fc.constantFrom(
      '/x => /y',
      `${RULE} => /a`,
      `${RULE} => 1 * /a & 2 * /b`,
      '/marathonId => /z',
      '/svc=>/w|/v',
    );
    const between = fc.constantFrom(' ; ', ';\n', '\n;\n', ' ; # note\n', ' # note ; with more\n;');
    const text = fc
      .array(fc.tuple(rules, between), { maxLength: 6 })
      .chain((parts) =>
        fc
          .constantFrom('', ' ;', '\n', '\n# end')
          .map(
            (end) =>
              parts.map(([rule, gap], at) => (at === parts.length - 1 ? rule : rule + gap)).join('') +
              (parts.length === 0 ? '' : end),
          ),
      );
    fc.assert(
      fc.property(text, fc.constantFrom(null, '/new', '1 * /new & 99 * /old'), (before, dst) => {
        const after = readDtab(withRule(before, 'team/web', dst));
        const dtab = [...readDtab(before)];
        const at = dtab.findLastIndex(({ prefix }) => `/${prefix.join('/')}` === RULE);
        const rule = dst === null ? [] : readDtab(`${RULE} => ${dst}`);
        if (at === -1) dtab.push(...rule);
        else dtab.splice(at, 1, ...rule);
        expect(showDtab(after)).toBe(showDtab(dtab));
      }),
    );
  });
});
