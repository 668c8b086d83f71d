/** The dashboard of a real scheduler in a real browser: what an operator sees while an agent goes and comes back. */
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AdminRouter } from '../fixtures/admin-router.ts';
import { launchBrowser } from '../fixtures/browser.ts';
import { Cluster, run } from '../fixtures/local-cluster.ts';

const LIVE_MS = 20_000;

describe('the dashboard', () => {
  let cluster: Cluster;
  let browser: Browser;
  let page: Page;
  const faults: string[] = [];

  beforeAll(async () => {
    cluster = await Cluster.start(54);
    browser = await launchBrowser();
    page = await browser.newPage({ viewport: { width: 1440, height: 1000 } });
    page.on('pageerror', (error) => faults.push(error.message));
    page.on('console', (message) => {
      if (message.type() === 'error') faults.push(message.text());
    });
    await page.goto(`${cluster.scheduler}/`);
  }, 120_000);
  afterAll(async () => {
    await browser.close();
    await cluster.stop();
  }, 30_000);

  it('shows every node as healthy and every service with its instances', async () => {
    const nodes = page.getByRole('table', { name: 'Nodes' }).getByRole('row');
    for (const { ip } of cluster.ready.nodes) {
      await nodes
        .filter({ hasText: ip })
        .filter({ hasText: /healthy/i })
        .first()
        .waitFor({ timeout: LIVE_MS });
    }
    const services = page.getByRole('table', { name: 'Services' }).getByRole('row');
    const wanted = { web: '1/1', gen: '3/3', word: '3/3', 'gen-growthhack': '3/3', 'word-growthhack': '3/3' };
    for (const [name, instances] of Object.entries(wanted)) {
      const row = services.filter({ has: page.getByText(name, { exact: true }) });
      await row
        .filter({ hasText: new RegExp(instances.replace('/', String.raw`\s*/\s*`)) })
        .waitFor({ timeout: LIVE_MS });
    }
  });

  it('shows the traffic of the demo, live', async () => {
    const services = page.getByRole('table', { name: 'Services' }).getByRole('row');
    const web = services.filter({ has: page.getByText('web', { exact: true }) });
    await web.filter({ hasText: /100\s*%/ }).waitFor({ timeout: LIVE_MS });
  });

  it('shows an agent that is cut off as lost, and as healthy when it returns', async () => {
    const victim = cluster.ready.nodes[1];
    if (victim === undefined) throw new Error('no node');
    const row = page.getByRole('table', { name: 'Nodes' }).getByRole('row').filter({ hasText: victim.ip });
    const agent = `${cluster.ready.mesos}/local/agents/${victim.agentId}`;
    await fetch(`${agent}/stop`, { method: 'POST' });
    await row.filter({ hasText: /lost/i }).first().waitFor({ timeout: LIVE_MS });
    await fetch(`${agent}/start`, { method: 'POST' });
    await row
      .filter({ hasText: /healthy/i })
      .first()
      .waitFor({ timeout: LIVE_MS });
  });

  describe('behind Admin Router, under /service/nodemesh/', () => {
    const token = 'e30.eyJ1aWQiOiJhbGljZSJ9.c2ln';
    let router: AdminRouter;
    beforeAll(async () => {
      const services = new Map([['nodemesh', cluster.scheduler]]);
      router = await AdminRouter.start({ services, judge: (given) => (given === token ? 200 : 401) });
    });
    afterAll(() => router.stop());

    it('shows the same, and asks for nothing beside it', async () => {
      const context = await browser.newContext();
      await context.addCookies([{ name: 'dcos-acs-auth-cookie', value: token, url: router.url }]);
      const behind = await context.newPage();
      const asked: string[] = [];
      behind.on('request', (request) => asked.push(request.url()));
      behind.on('pageerror', (error) => faults.push(error.message));
      behind.on('console', (message) => {
        if (message.type() === 'error') faults.push(message.text());
      });
      await behind.goto(`${router.url}/service/nodemesh`);
      for (const { ip } of cluster.ready.nodes) {
        const row = behind.getByRole('table', { name: 'Nodes' }).getByRole('row').filter({ hasText: ip });
        await row
          .filter({ hasText: /healthy/i })
          .first()
          .waitFor({ timeout: LIVE_MS });
      }
      await context.close();
      const [redirected, ...under] = asked;
      expect(redirected).toBe(`${router.url}/service/nodemesh`);
      expect(under.length).toBeGreaterThan(5);
      expect(under.filter((url) => !url.startsWith(`${router.url}/service/nodemesh/`))).toEqual([]);
    });

    it('dcos nodemesh status says how the mesh is, with the environment of the DC/OS CLI', async () => {
      const environment = { DCOS_URL: router.url, DCOS_ACS_TOKEN: token, DCOS_TLS_INSECURE: '1' };
      const status = run(['dcos-plugin', 'nodemesh', 'status'], environment);
      expect(await status.ended).toBe(0);
      expect(status.stdout()).toMatch(/ mesos +subscribed as .*\n +marathon +connected\n/);
      expect(status.stdout()).toContain(`${cluster.ready.nodes.length} healthy`);
    });
  });

  it('had no error in its console', () => {
    expect(faults).toEqual([]);
  });
});
