/** Every metric of the scheduler that a page names is one. */
import { expect, it } from 'vitest';
import { createMetrics } from '../../scheduler/api/metrics.ts';
import { pagesOnDisk } from './pages-on-disk.ts';

it('every metric of the scheduler that a page names is one', () => {
  const known = new Set(
    createMetrics(() => null)
      .getMetricsAsArray()
      .map(({ name }) => name),
  );
  const named = pagesOnDisk().flatMap(({ file, text }) =>
    [...text.matchAll(/\bnodemesh_[a-z_]+[a-z]\b/g)].map(([name]) => ({ file, name })),
  );
  expect(named.length).toBeGreaterThan(40);
  const unknown = named.filter(({ name }) => !known.has(name)).map(({ file, name }) => `${file}: ${name}`);
  expect(unknown, 'scheduler/api/metrics.ts has no such metric; docs/metrics.md lists them').toEqual([]);
});
