/** Labels of several apps that want the same. */
import { expect, it } from 'vitest';
import { LabelBook } from '../../../../scheduler/discovery/labels/label-book.ts';
import { endpoint } from '../../../fixtures/control-stream.ts';

const app = (name: string, labels: Record<string, string>, configuredAt: string | null = null, vip = '') => ({
  ...{ name, labels, configuredAt },
  definedPorts: [{ name: 'http', labels: vip === '' ? {} : { VIP_0: vip } }],
});
const useBook = () => new LabelBook(['external', '-']);
const hostsOf = (book: LabelBook, name: string) =>
  book.settings(name)?.exposed.map(({ host, path }) => host + path) ?? null;

it('an app without labels, or with labels that say nothing, has no settings', () => {
  const book = useBook();
  expect([...book.put(app('web', {}))]).toEqual(['web']);
  expect(book.settings('web')).toBe(null);
  book.put(app('web', { NODEMESH_WEIGHT: '2' }));
  expect(book.settings('web')).toBe(null);
  const web = { name: 'web', endpoints: [endpoint({ service: 'web', instance: 'web.1', port: 1 })] };
  expect(book.weighted(web)).toMatchObject({ name: 'web', endpoints: [{ instance: 'web.1', weight: 2 }] });
  book.put(app('web', { NODEMESH_WIGHT: '2' }));
  expect(book.notes('web')).toHaveLength(1);
  book.remove('web');
  expect(book.notes('web')).toEqual([]);
});

it('the app that was configured before the other has the host, whoever comes first (D25)', () => {
  const book = useBook();
  book.put(app('new', { NODEMESH_EXPOSE: 'a.b, c.d' }, '2024-02-01T00:00:00.000Z'));
  expect(hostsOf(book, 'new')).toEqual(['a.b/', 'c.d/']);
  expect([...book.put(app('old', { HAPROXY_0_VHOST: 'a.b' }, '2024-01-01T00:00:00.000Z'))]).toEqual(['old', 'new']);
  expect(hostsOf(book, 'old')).toEqual(['a.b/']);
  expect(hostsOf(book, 'new')).toEqual(['c.d/']);
  expect(book.notes('new')).toEqual([
    { label: 'host a.b/', message: 'old has it, which was configured before this app' },
  ]);
  expect(book.notes('old')).toEqual([]);
  // A change of the older one makes it the younger.
  expect(new Set(book.put(app('old', { HAPROXY_0_VHOST: 'a.b' }, '2024-03-01T00:00:00.000Z')))).toEqual(
    new Set(['old', 'new']),
  );
  expect([hostsOf(book, 'old'), hostsOf(book, 'new')]).toEqual([null, ['a.b/', 'c.d/']]);
  expect(new Set(book.remove('new'))).toEqual(new Set(['new', 'old']));
  expect(hostsOf(book, 'old')).toEqual(['a.b/']);
});

it('of two of the same age the first by name has it; other paths of the host are no conflict; VIPs are alike', () => {
  const book = useBook();
  for (const name of ['b', 'a', 'c']) {
    book.put(app(name, { NODEMESH_EXPOSE: name === 'c' ? 'a.b/c' : 'a.b' }, null, name === 'c' ? '/v:81' : '/v:80'));
  }
  expect(['a', 'b', 'c'].map((name) => hostsOf(book, name))).toEqual([['a.b/'], null, ['a.b/c']]);
  expect(['a', 'b', 'c'].map((name) => book.settings(name)?.vips.length ?? 0)).toEqual([1, 0, 1]);
  expect(book.notes('b').map(({ label }) => label)).toEqual(['host a.b/', 'VIP v:80']);
});
