import { join } from 'node:path';
import { expect, it } from 'vitest';
import { configurationReference } from '../../../agent-proxy/config/reference.ts';

const file = join(import.meta.dirname, '../../../docs/configuration.md');
const REGENERATE =
  'docs/configuration.md is not what the schema says; write it anew: npx vitest run --config test/vitest.config.ts --project unit test/agent-proxy/config/reference.test.ts -u';

it('docs/configuration.md is what the schema says', async () => {
  await expect(configurationReference(), REGENERATE).toMatchFileSnapshot(file);
});

it('every link of the reference leads to a heading of it', () => {
  const text = configurationReference();
  const anchors = new Set(
    [...text.matchAll(/^## (.+)$/gm)].map(([, title = '']) =>
      title
        .toLowerCase()
        .replace(/[^a-z0-9 _-]/g, '')
        .replaceAll(' ', '-'),
    ),
  );
  const targets = [...text.matchAll(/\]\(#([^)]+)\)/g)].map(([, anchor]) => anchor);
  expect(targets.length).toBeGreaterThan(20);
  expect(targets.filter((target) => !anchors.has(target ?? ''))).toEqual([]);
});
