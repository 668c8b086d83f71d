import { join } from 'node:path';
import { expect, it } from 'vitest';
import { optionsReference } from '../../../scheduler/config/reference.ts';

const file = join(import.meta.dirname, '../../../docs/scheduler-options.md');
const REGENERATE =
  'docs/scheduler-options.md is not what the table of options says; write it anew: npx vitest run --config test/vitest.config.ts --project unit test/scheduler/config/reference.test.ts -u';

it('docs/scheduler-options.md is what the table of options says', async () => {
  await expect(optionsReference(), REGENERATE).toMatchFileSnapshot(file);
});
