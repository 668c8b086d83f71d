/** The dashboard in a real browser, over a fake scheduler. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Locator, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { buildDashboard } from '../../../scheduler/dashboard/build.mjs';
import { launchBrowser } from '../../fixtures/browser.ts';
import { backgroundOf, cellsOf, colourOf, QUICK, soon, textsOf } from './browsing.ts';
import { FakeScheduler, fakeNode, fakeService, PREFIX } from './fake-scheduler.ts';

// Each waits for a few of the page's seconds, on a machine that may be busy.
vi.setConfig({ testTimeout: 30_000, hookTimeout: 60_000 });

let assets: string;
let browser: Browser;
let scheduler: FakeScheduler;
let page: Page;
/** Errors on the page's console, and uncaught ones. */
let errors: string[];
/** Addresses that the page asked for. */
let requested: string[];

beforeAll(async () => {
  assets = await mkdtemp(join(tmpdir(), 'nodemesh-dashboard-'));
  await buildDashboard({ outdir: assets, version: '1.2.3' });
  browser = await launchBrowser();
  page = await browser.newPage();
  await page.addInitScript(QUICK);
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') errors.push(message.text());
  });
  page.on('pageerror', (error) => errors.push(error.message));
  page.on('request', (request) => requested.push(request.url()));
}, 60_000);

afterAll(async () => {
  await browser?.close();
  if (assets !== undefined) await rm(assets, { recursive: true, force: true });
});

beforeEach(async () => {
  scheduler = new FakeScheduler(assets);
  scheduler.nodes = [fakeNode(1), fakeNode(2), fakeNode(3, { public: true })];
  scheduler.services = [fakeService('web', true), fakeService('gen', true, true, true)];
  scheduler.traffic = {
    windowMs: 10_000,
    nodes: [1, 2, 3].map((k) => ({ agentId: `agent-S${k}`, rps: k * 10, successRate: 1, p50Ms: 2, p99Ms: k })),
    services: [{ name: 'web', rps: 20.4, successRate: 0.998, p50Ms: 1.5, p95Ms: 4, p99Ms: 12, retries: 7 }],
  };
  await scheduler.start();
  await page.setViewportSize({ width: 1440, height: 900 });
  errors = [];
  requested = [];
});

afterEach(async () => {
  await page?.goto('about:blank');
  await scheduler?.stop();
});

const open = () => page.goto(`${scheduler.url}/`);
const nodes = () => page.getByRole('table', { name: 'Nodes' });
const services = () => page.getByRole('table', { name: 'Services' });
const rowOf = (table: Locator, name: string) =>
  table.getByRole('row').filter({ has: page.getByRole('rowheader', { name, exact: false }) });

describe('the tables', () => {
  test('show each node with its proxy and its traffic', async () => {
    await open();
    await soon(async () => expect(await nodes().getByRole('rowheader').count()).toBe(3));
    expect(await nodes().getByRole('columnheader').allInnerTexts()).toEqual([
      'Node',
      'Kind',
      'State',
      'Since',
      'Version',
      'Config',
      'Requests/s',
      'Success',
      'p50',
      'p99',
    ]);
    const row = rowOf(nodes(), 'node3.example');
    expect(await row.getByRole('rowheader').innerText()).toContain('10.0.0.3');
    await soon(async () =>
      expect(await cellsOf(row)).toEqual(['public', 'healthy', '1 h', '0.1.0', '1', '30', '100 %', '2.0 ms', '3.0 ms']),
    );
  });

  test('show each service with its instances and its traffic, and no figures where there are none', async () => {
    await open();
    await soon(async () =>
      expect(await cellsOf(rowOf(services(), 'web'))).toEqual([
        '1/1',
        '20',
        '99.80 %',
        '1.5 ms',
        '4.0 ms',
        '12 ms',
        '7',
      ]),
    );
    expect(await cellsOf(rowOf(services(), 'gen'))).toEqual(['3/3', '–', '–', '–', '–', '–', '–']);
  });

  test('open a service to its instances, by keyboard', async () => {
    scheduler.services = [fakeService('gen', true, false)];
    await open();
    const expander = services().getByRole('button', { name: 'gen', exact: true });
    await expander.focus();
    await page.keyboard.press('Enter');
    const instances = page.getByRole('table', { name: 'Instances of gen' });
    await soon(async () => expect(await textsOf(instances)).toEqual(['gen.1', 'gen.2']));
    expect(await cellsOf(rowOf(instances, 'gen.2'))).toEqual(['10.0.0.2:31001', 'node2.example', 'unhealthy']);
    expect(await expander.getAttribute('aria-expanded')).toBe('true');
    await page.keyboard.press('Enter');
    await soon(async () => expect(await instances.count()).toBe(0));
  });

  test('open a service by a press anywhere on its row, but not when its button already did', async () => {
    await open();
    // The first: once it is open, the rows of its instances are within the next.
    const row = rowOf(services(), 'gen').first();
    const instances = page.getByRole('table', { name: 'Instances of gen' });
    await row.getByRole('cell').nth(3).click();
    await instances.waitFor();
    await row.getByRole('cell').last().click();
    await instances.waitFor({ state: 'detached' });
    await row.getByRole('button').click();
    await instances.waitFor();
    // Rows of nodes do not open, so they do not look as if they did.
    const [idle, still] = [rowOf(services(), 'web'), rowOf(nodes(), 'node1.example')];
    const before = [await backgroundOf(idle), await backgroundOf(still)];
    await idle.hover();
    expect(await backgroundOf(idle)).not.toBe(before[0]);
    await still.hover();
    expect(await backgroundOf(still)).toBe(before[1]);
  });

  test('show the first of many instances, those that take no traffic among them, and all on request', async () => {
    scheduler.services = [fakeService('gen', ...Array.from({ length: 50 }, (_, index) => index !== 44))];
    await open();
    await services().getByRole('button', { name: 'gen', exact: true }).click();
    const instances = page.getByRole('table', { name: 'Instances of gen' });
    await soon(async () => expect(await instances.getByRole('rowheader').count()).toBe(24));
    expect((await textsOf(instances)).at(-1)).toBe('gen.45');
    const lefts = await instances
      .getByRole('rowheader')
      .evaluateAll((all) => new Set(all.map((one) => one.getBoundingClientRect().left)).size);
    expect(lefts).toBe(3);
    await page.getByRole('button', { name: 'Show all 50 instances' }).click();
    await soon(async () => expect(await instances.getByRole('rowheader').count()).toBe(50));
    await page.getByRole('button', { name: 'Show only 24' }).click();
    await soon(async () => expect(await instances.getByRole('rowheader').count()).toBe(24));
  });

  test('draw the bars of rates beside the digits, by one scale, and give a long reason a line of its own', async () => {
    const reason = 'Mesos cannot reach the agent, and nothing was heard of it for some time. '.repeat(2).trim();
    scheduler.nodes = [fakeNode(1), fakeNode(2), fakeNode(3, { state: 'lost', reason })];
    const figures = { successRate: 1, p50Ms: 2, p99Ms: 3 };
    scheduler.traffic.nodes = [6, 86, 0].map((rps, k) => ({ agentId: `agent-S${k + 1}`, rps, ...figures }));
    await open();
    await soon(async () => expect((await cellsOf(rowOf(nodes(), 'node1.example')))[5]).toBe('6.0'));
    const boxes = await nodes()
      .locator('.rate')
      .evaluateAll((all) =>
        all.map((one) => {
          const [bar, digits] = [...one.children].map((child) => child.getBoundingClientRect());
          const width = one.querySelector('.bar')?.getBoundingClientRect().width ?? 0;
          return { left: bar?.left, width, gap: (digits?.left ?? 0) - (bar?.right ?? 0) };
        }),
      );
    // The lost node stands on top.
    const [none, small, large] = boxes;
    expect(boxes.every(({ gap }) => gap >= 4)).toBe(true);
    expect(small?.left).toBe(large?.left);
    expect(none?.width).toBe(0);
    expect((large?.width ?? 0) / (small?.width ?? 1)).toBeCloseTo(86 / 6, 0);
    const line = await nodes().getByText(reason).boundingBox();
    expect(line?.width).toBeGreaterThan(900);
    expect(line?.height).toBeLessThan(24);
  });

  test('follow what the scheduler says', async () => {
    await open();
    await soon(async () => expect(await nodes().getByRole('rowheader').count()).toBe(3));
    scheduler.nodes = [
      fakeNode(1),
      fakeNode(2, { state: 'unhealthy', reason: 'The proxy has not reported for 6 s.' }),
      fakeNode(4, { state: 'launching', running: null }),
    ];
    scheduler.services = [fakeService('gen', true, true, false)];
    await soon(async () =>
      expect(await textsOf(nodes())).toEqual([
        'node2.example10.0.0.2',
        'node4.example10.0.0.4',
        'node1.example10.0.0.1',
      ]),
    );
    expect((await cellsOf(rowOf(nodes(), 'node2.example')))[1]).toBe('unhealthy');
    const reason = nodes().getByRole('cell', { name: 'The proxy has not reported for 6 s.' });
    expect(await reason.count()).toBe(1);
    expect((await cellsOf(rowOf(nodes(), 'node4.example'))).slice(3, 5)).toEqual([
      '– → wanted: 0.1.0',
      '– → wanted: 1',
    ]);
    await soon(async () => expect((await cellsOf(rowOf(services(), 'gen')))[0]).toBe('2/3'));
    expect(await rowOf(services(), 'web').count()).toBe(0);
  });

  test('are sorted by their headers, by pointer and by keyboard', async () => {
    await open();
    await soon(async () => expect(await nodes().getByRole('rowheader').count()).toBe(3));
    const header = nodes().getByRole('columnheader', { name: 'Requests/s' });
    await header.getByRole('button').click();
    await soon(async () => expect(await header.getAttribute('aria-sort')).toBe('descending'));
    expect((await textsOf(nodes()))[0]).toContain('node3');
    await page.keyboard.press('Enter');
    await soon(async () => expect(await header.getAttribute('aria-sort')).toBe('ascending'));
    expect((await textsOf(nodes()))[0]).toContain('node1');
  });

  test('are narrowed by what is typed, and tell how to see all again', async () => {
    await open();
    const box = page.getByRole('searchbox', { name: 'Filter nodes' });
    await box.fill('node2');
    await soon(async () => expect(await textsOf(nodes())).toEqual(['node2.example10.0.0.2']));
    await box.fill('nothing like it');
    await soon(async () => expect(await nodes().getByRole('rowheader').count()).toBe(0));
    await page.getByRole('button', { name: 'Show all' }).click();
    await soon(async () => expect(await nodes().getByRole('rowheader').count()).toBe(3));
  });

  test('say what to do when they are empty', async () => {
    scheduler.nodes = [];
    scheduler.services = [];
    scheduler.health = { leading: true, subscribed: false };
    await open();
    await page.getByText('The scheduler is not subscribed to Mesos, so it knows of no agent.').waitFor();
    await page.getByText('No task runs on Marathon.').waitFor();
    scheduler.health = { leading: true, subscribed: true };
    await page.getByText('No agent yet.').waitFor();
  });

  test('of a standby say where the leader is, which is no failure', async () => {
    const leader = 'http://10.0.0.7:4180';
    scheduler.health = { leading: false, subscribed: false, leader };
    const body = JSON.stringify({ error: 'this scheduler does not lead', leader });
    for (const path of ['v1/nodes', 'v1/services', 'v1/traffic', 'v1/state/frameworkId']) {
      scheduler.replies.set(path, { status: 503, body });
    }
    await open();
    await page.getByText('This scheduler is a standby.').waitFor();
    expect(await page.getByRole('link', { name: leader }).getAttribute('href')).toBe(leader);
    await soon(async () => expect(await page.locator('.pulse').innerText()).toBe('live'));
    expect(await page.getByRole('alert').innerText()).toBe('');
  });

  test('draw the first 300 of very many rows, and more on request', async () => {
    scheduler.nodes = Array.from({ length: 450 }, (_, index) => fakeNode(index));
    await open();
    await soon(async () => expect(await nodes().getByRole('rowheader').count()).toBe(300));
    await page.getByRole('button', { name: 'Show 150 more of 450 nodes' }).click();
    await soon(async () => expect(await nodes().getByRole('rowheader').count()).toBe(450));
  });
});

describe('the summary', () => {
  test('counts what is healthy and adds up the traffic', async () => {
    scheduler.nodes = [fakeNode(1), fakeNode(2, { state: 'lost', reason: 'The agent is unreachable.' })];
    await open();
    const summary = page.getByRole('region', { name: 'Summary' });
    await soon(async () => {
      const text = await summary.innerText();
      expect(text).toMatch(/Nodes\s*1\/2\s*healthy/);
      expect(text).toMatch(/Services\s*2\s*4\/4 instances healthy/);
      expect(text).toMatch(/Requests\s*60\s*a second/);
      expect(text).toMatch(/Success\s*100 %/);
      expect(text).toMatch(/Latency\s*3\.0 ms\s*p99, slowest node/);
    });
    const scheduling = page.getByRole('list', { name: 'Scheduler' });
    await soon(async () =>
      expect(await scheduling.innerText()).toMatch(/leading\s*subscribed to Mesos\s*framework framework-0001/),
    );
    await summary.getByRole('button', { name: '1 lost' }).click();
    await soon(async () => expect(await textsOf(nodes())).toEqual(['node2.example10.0.0.2']));
  });
});

describe('a node that the placement leaves out', () => {
  test('is neither healthy nor in trouble, and stands last', async () => {
    const reason = 'The placement leaves this agent out: rack r9 is not like r[1-3].';
    scheduler.nodes = [
      fakeNode(1, { state: 'excluded', taskId: null, running: null, wanted: null, reason }),
      fakeNode(2),
      fakeNode(3),
    ];
    await open();
    const summary = page.getByRole('region', { name: 'Summary' });
    await soon(async () =>
      expect(await summary.innerText()).toMatch(/Nodes\s*2\/2\s*healthy\s*all healthy\s*1 excluded/),
    );
    expect((await textsOf(nodes())).map((text) => text.slice(0, 5))).toEqual(['node2', 'node3', 'node1']);
    const row = rowOf(nodes(), 'node1.example');
    expect(await nodes().innerText()).toContain(reason);
    expect(await row.innerText()).not.toContain('wanted');
    expect(await backgroundOf(row)).toBe(await backgroundOf(rowOf(nodes(), 'node2.example')));
    await summary.getByRole('button', { name: '1 excluded' }).click();
    await soon(async () => expect(await nodes().getByRole('rowheader').count()).toBe(1));
  });
});

describe('a freeze', () => {
  test('is told for as long as it lasts', async () => {
    scheduler.health = { leading: true, subscribed: true, frozen: true };
    await open();
    const banner = page.getByRole('status').filter({ hasText: 'Frozen' });
    await banner.waitFor();
    expect(await banner.innerText()).toContain('nodemesh thaw ends it');
    scheduler.health = { leading: true, subscribed: true, frozen: false };
    await soon(async () => expect(await banner.count()).toBe(0));
  });
});

describe('the connection', () => {
  test('that is lost is announced with the time of what is shown, and comes back by itself', async () => {
    scheduler.nodes[0] = fakeNode(1, { since: new Date(Date.now() - 5_000).toISOString() });
    await open();
    await soon(async () => expect(await nodes().getByRole('rowheader').count()).toBe(3));
    const banner = page.getByRole('alert');
    expect(await banner.innerText()).toBe('');
    await scheduler.stop();
    await soon(async () =>
      expect(await banner.innerText()).toMatch(/Connection lost, showing the state of \d\d:\d\d:\d\d\./),
    );
    expect(await nodes().getByRole('rowheader').count()).toBe(3);

    // Nothing of it looks as if it were news.
    const facts = page.getByRole('list', { name: 'Scheduler' });
    const summary = page.getByRole('region', { name: 'Summary' });
    const age = rowOf(nodes(), 'node1.example').getByRole('time');
    await soon(async () => expect(await facts.innerText()).toMatch(/was leading\s*was subscribed to Mesos/));
    await soon(async () => expect(await summary.innerText()).toContain('all were healthy'));
    expect(await summary.innerText()).not.toContain('now');
    expect(await summary.innerText()).toMatch(/\d\d:\d\d:\d\d/);
    expect(await colourOf(nodes().locator('.state .icon').first())).toBe(await colourOf(page.locator('footer')));
    const frozen = await age.innerText();
    expect(frozen).toMatch(/^\d+ s$/);
    // The page's clock goes on: more than a second would show.
    await page.waitForTimeout(1_300);
    expect(await age.innerText()).toBe(frozen);

    scheduler.nodes = [fakeNode(7)];
    await scheduler.start();
    await soon(async () => expect(await banner.innerText()).toBe(''));
    await soon(async () => expect(await textsOf(nodes())).toEqual(['node7.example10.0.0.7']));
    await soon(async () => expect(await facts.innerText()).toMatch(/^leading/));
    await soon(async () => expect(await summary.innerText()).toContain('now'));
  });

  test('to a scheduler that answers nonsense is lost too, and says what was wrong', async () => {
    await open();
    await soon(async () => expect(await nodes().getByRole('rowheader').count()).toBe(3));
    scheduler.replies.set('v1/nodes', { status: 200, body: '[{"agentId":5}]' });
    await soon(async () =>
      expect(await page.getByRole('alert').innerText()).toContain('v1/nodes is not understood at 0.agentId'),
    );
    scheduler.replies.set('v1/nodes', { status: 503, body: '' });
    await soon(async () => expect(await page.getByRole('alert').innerText()).toContain('answered 503'));
    expect(await nodes().getByRole('rowheader').count()).toBe(3);
  });

  test('carries one request for each thing at a time, however slow the scheduler is', async () => {
    scheduler.delayMs = 600;
    await open();
    await soon(() => expect(scheduler.asked.get(`${PREFIX}v1/nodes`) ?? 0).toBeGreaterThanOrEqual(3));
    for (const path of ['v1/nodes', 'v1/services', 'v1/traffic', 'v1/health']) {
      expect(scheduler.mostAtOnce.get(PREFIX + path), path).toBe(1);
    }
    expect(await page.getByRole('alert').innerText()).toBe('');
  });

  test('rests while the page is hidden', async () => {
    await open();
    await soon(() => expect(scheduler.asked.get(`${PREFIX}v1/nodes`) ?? 0).toBeGreaterThanOrEqual(2));
    const show = (state: 'hidden' | 'visible') =>
      page.evaluate(
        `Object.defineProperty(document, 'visibilityState', { value: '${state}', configurable: true });
         document.dispatchEvent(new Event('visibilitychange'));`,
      );
    await show('hidden');
    const before = scheduler.asked.get(`${PREFIX}v1/nodes`) ?? 0;
    // Intervals of a quarter of a second, in which nothing may be asked; one request may have been on its way.
    await page.waitForTimeout(900);
    expect(scheduler.asked.get(`${PREFIX}v1/nodes`) ?? 0).toBeLessThanOrEqual(before + 1);
    scheduler.nodes = [fakeNode(9)];
    await show('visible');
    await soon(async () => expect(await textsOf(nodes())).toEqual(['node9.example10.0.0.9']));
  });
});

describe('the page', () => {
  test('lives under a path of its own, asks nobody else for anything, and logs no error', async () => {
    await open();
    await soon(() => expect(scheduler.asked.get(`${PREFIX}v1/traffic`) ?? 0).toBeGreaterThanOrEqual(3));
    await soon(async () => expect(await nodes().getByRole('rowheader').count()).toBe(3));
    expect(requested.filter((url) => !url.startsWith(`${scheduler.url}/`) && !url.startsWith('data:'))).toEqual([]);
    expect([...scheduler.asked.keys()].filter((path) => !path.startsWith(PREFIX))).toEqual([]);
    expect(errors).toEqual([]);
    expect(await page.getByText('nodemesh 1.2.3').count()).toBe(1);
  });

  test('takes two lines for a healthy node on a phone, and tells there of a version only when it changes', async () => {
    const wanted = { version: '0.2.0', configRevision: 1 };
    scheduler.nodes = [fakeNode(1), fakeNode(2), fakeNode(3, { public: true }), fakeNode(4, { wanted }), fakeNode(5)];
    await page.setViewportSize({ width: 390, height: 844 });
    await open();
    await soon(async () => expect((await cellsOf(rowOf(nodes(), 'node1.example')))[2]).toBe('10'));
    const heightOf = async (name: string) => (await rowOf(nodes(), name).boundingBox())?.height;
    for (const name of ['node1.example', 'node3.example']) expect(await heightOf(name)).toBeLessThan(62);
    expect(await rowOf(nodes(), 'node1.example').getByText('0.1.0').isVisible()).toBe(false);
    expect(await rowOf(nodes(), 'node4.example').getByText('0.2.0').isVisible()).toBe(true);
    expect(await page.evaluate('document.documentElement.scrollHeight')).toBeLessThan(1_400);
    // A window that was wider leaves no chart that is wider than the page.
    await page.setViewportSize({ width: 800, height: 844 });
    await page.setViewportSize({ width: 390, height: 844 });
    await soon(async () => expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(390));
  });

  test('shows cards without sideways scrolling on a phone of 360 px, in both colour schemes', async () => {
    scheduler.nodes = [fakeNode(1, { hostname: 'ip-10-0-6-123.eu-central-1.compute.internal.example.com' })];
    await page.setViewportSize({ width: 360, height: 740 });
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      await open();
      await soon(async () => expect(await nodes().getByRole('rowheader').count()).toBe(1));
      await services().getByRole('button', { name: 'gen', exact: true }).click();
      await page.getByRole('table', { name: 'Instances of gen' }).waitFor();
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(360);
      await page.getByRole('combobox', { name: 'Sort services' }).selectOption('instances');
    }
    expect(errors).toEqual([]);
  });
});
