/** Every link of the documents to a file of the checkout leads to a file, and to a heading of it where it names one. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ROOT } from '../../dcos-package/build/set-up.mjs';
import { anchorsOf, linksOf } from './markdown.ts';
import { pagesOnDisk } from './pages-on-disk.ts';

const HOW =
  'Mend the link, or the page or heading that it names; an anchor is the heading in lower case with - for spaces';

function faultOf(file: string, target: string): string | null {
  if (/^[a-z][a-z+.-]*:/i.test(target)) return null;
  const [path = '', anchor] = target.split('#', 2);
  const to = path === '' ? file : normalize(join(dirname(file), decodeURIComponent(path)));
  if (to.startsWith('..')) return `leads out of the checkout: ${target}`;
  if (!existsSync(join(ROOT, to))) return `there is no file ${to} (${target})`;
  if (anchor === undefined || statSync(join(ROOT, to)).isDirectory()) return null;
  const anchors = anchorsOf(readFileSync(join(ROOT, to), 'utf8'));
  return anchors.has(anchor) ? null : `${to} has no heading #${anchor}; it has ${[...anchors].join(', ')}`;
}

it('every link of the documents leads somewhere', () => {
  const links = pagesOnDisk().flatMap(({ file, text }) => linksOf(text).map((link) => ({ ...link, file })));
  expect(links.length).toBeGreaterThan(100);
  const faults = links.flatMap(({ file, target, line }) => {
    const fault = faultOf(file, target);
    return fault === null ? [] : [`${file}:${line}: ${fault}`];
  });
  expect(faults, HOW).toEqual([]);
});

it('every page of the book can be reached from README.md or docs/README.md', () => {
  const pages = new Map(pagesOnDisk().map((page) => [page.file, page.text]));
  const reached = new Set<string>();
  const ahead = ['README.md', ...(pages.has('docs/README.md') ? ['docs/README.md'] : [])];
  for (let file = ahead.pop(); file !== undefined; file = ahead.pop()) {
    if (reached.has(file)) continue;
    reached.add(file);
    for (const { target } of linksOf(pages.get(file) ?? '')) {
      const to = normalize(join(dirname(file), target.split('#', 1)[0] ?? ''));
      if (pages.has(to)) ahead.push(to);
      // A link to a folder is one to all that is in it.
      else if (to.endsWith('/')) ahead.push(...[...pages.keys()].filter((page) => page.startsWith(to)));
    }
  }
  const lost = [...pages.keys()].filter((file) => !reached.has(file));
  expect(lost, 'Link these pages from where a reader would look for them: docs/README.md has the contents').toEqual([]);
});

describe('links are read', () => {
  it('from prose, not from code', () => {
    const text = 'See [a](a.md#b), `[x](y)` and ![c](c.png "C").\n```sh\n[d](d.md)\n```\n';
    expect(linksOf(text)).toEqual([
      { target: 'a.md#b', line: 1 },
      { target: 'c.png', line: 1 },
    ]);
  });

  it('with anchors as GitHub makes them', () => {
    const text = '# What `x.y` is, and why?\n## Same\n```\n# no heading\n```\n## Same\n### [A link](b.md) – there\n';
    expect([...anchorsOf(text)]).toEqual(['what-xy-is-and-why', 'same', 'same-1', 'a-link--there']);
  });
});
