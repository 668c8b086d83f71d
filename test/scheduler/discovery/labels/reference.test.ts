import { join } from 'node:path';
import { expect, it } from 'vitest';
import { labelsReference } from '../../../../scheduler/discovery/labels/reference.ts';

const file = join(import.meta.dirname, '../../../../docs/labels.md');
const REGENERATE =
  'docs/labels.md is not what the tables of labels say; write it anew: npx vitest run --config test/vitest.config.ts --project unit test/scheduler/discovery/labels/reference.test.ts -u';

it('docs/labels.md is what the tables of labels say', async () => {
  await expect(labelsReference(), REGENERATE).toMatchFileSnapshot(file);
});
