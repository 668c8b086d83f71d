import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createFramework, fixedMaster, openFileStore } from '../../framework/index.ts';
import { ScriptedMaster, until } from './mesos-http-client/scripted-master.ts';
import { frameworkOptions } from './options.ts';
import { Story } from './story.ts';

test.each([400, 500])('the offers of an ACCEPT that is refused with %i are declined', async (status) => {
  const directory = await mkdtemp(join(tmpdir(), 'framework-'));
  const store = await openFileStore(directory);
  const master = await new ScriptedMaster().start();
  master.onSubscribe = ({ path }, response) => {
    // The operator's stream: not here.
    if (path === '/api/v1') response.writeHead(501).end();
    else master.openStream(response);
  };
  master.onCall = ({ body }, response) => response.writeHead(body.type === 'ACCEPT' ? status : 202).end('no');
  const framework = createFramework(frameworkOptions({ masters: fixedMaster(master.url), store }));
  try {
    await framework.start();
    await until(() => framework.subscribed());
    const offer = new Story().offer('a', {});
    master.write({ type: 'OFFERS', offers: { offers: [offer] } });
    await until(() => master.calls('DECLINE').length === 1);
    expect(master.calls('DECLINE')[0]?.body).toMatchObject({ decline: { offer_ids: [offer.id] } });
    expect(framework.counters().subscriptions).toBe(1);
  } finally {
    await framework.stop();
    await master.stop();
    await store.close();
    await rm(directory, { recursive: true });
  }
});
