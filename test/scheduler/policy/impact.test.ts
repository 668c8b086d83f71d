import { expect, test } from 'vitest';
import { readDtab } from '../../../agent-proxy/routing/dtab.ts';
import { evaluateName } from '../../../agent-proxy/routing/evaluation.ts';
import { type Bind, namesUnbound } from '../../../scheduler/policy/impact.ts';
import { StandInNamer, standInInet } from '../../agent-proxy/routing/stand-in-namer.ts';

const namer = new StandInNamer('/apps');
for (const name of ['/web', '/gen']) namer.binds(name);

const bind: Bind = (dtab, name) =>
  evaluateName(
    { base: [dtab], local: [], namers: [namer], inet: standInInet, localMayNameAddresses: true },
    name,
    (one, rest) => one.lookup(rest).state,
  );

const unbound = (before: string, after: string, ...names: string[]) =>
  namesUnbound(names, { before: readDtab(before), after: readDtab(after) }, bind);

test('names that are bound and would not be are told, sorted; others are none of its business', async () => {
  const names = ['/svc/web', '/svc/gen', '/svc/nobody', 'no path'];
  expect(await unbound('/svc => /#/apps', '/svc => /#/apps ; /svc/web => /#/apps/gen', ...names)).toEqual([]);
  expect(await unbound('/svc => /#/apps', '/svc/web => /#/apps/web', ...names)).toEqual(['/svc/gen']);
  expect(await unbound('/svc => /#/apps', '/svc => !', ...names)).toEqual(['/svc/gen', '/svc/web']);
  expect(await unbound('/svc => /#/apps', '/svc => $ | /#/apps', ...names)).toEqual(['/svc/gen', '/svc/web']);
});

test('a split binds as long as one of its branches does; a circle does not', async () => {
  expect(await unbound('/svc => /#/apps', '/svc/web => 1 * /#/apps/no & 9 * /#/apps/gen', '/svc/web')).toEqual([]);
  expect(await unbound('/svc => /#/apps', '/svc => /svc/web', '/svc/web')).toEqual(['/svc/web']);
});

test('others have their turn while many names are looked at', async () => {
  let ticks = 0;
  let turns = 0;
  let counting: NodeJS.Immediate | undefined;
  const count = (): void => {
    turns += 1;
    counting = setImmediate(count);
  };
  count();
  const names = Array.from({ length: 200 }, (_, n) => `/svc/${n}`);
  const slow: Bind = (dtab, name) => {
    ticks += 1;
    return bind(dtab, name);
  };
  const change = { before: readDtab('/svc/* => /#/apps/web'), after: readDtab('') };
  expect(await namesUnbound(names, change, slow, () => ticks)).toHaveLength(200);
  clearImmediate(counting);
  expect(turns).toBeGreaterThan(50);
});
