import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DEFAULT_BALANCE, LINKERD_BALANCE } from '../../../agent-proxy/balance/params.ts';
import { ClientLayers } from '../../../agent-proxy/config/client-params.ts';
import { clientTlsParams } from '../../../agent-proxy/config/client-tls-params.ts';
import { checkConfig, loadConfig } from '../../../agent-proxy/config/load.ts';
import { DEFAULT_ACCRUAL_BACKOFF } from '../../../agent-proxy/resilience/params.ts';
import { readPath } from '../../../agent-proxy/routing/path.ts';

function paramsOf(client: unknown, id: string, nodemesh: unknown = {}) {
  const [router] = checkConfig({ routers: [{ protocol: 'http', client, nodemesh }] }, 'test').config.routers;
  if (router === undefined) throw new Error('no router');
  return new ClientLayers(router).paramsFor(readPath(id));
}

const layers = (...configs: unknown[]) => ({ kind: 'io.l5d.static', configs });

describe('the parameters of a client', () => {
  it('have our bounds where nothing is written', () => {
    expect(paramsOf({}, '/#/io.l5d.fs/web')).toMatchObject({
      balance: {
        ...DEFAULT_BALANCE,
        failureAccrual: { kind: 'io.l5d.consecutiveFailures', failures: 5, backoff: DEFAULT_ACCRUAL_BACKOFF },
      },
      hostConnectionPool: { minSize: 0, maxSize: 256, maxWaiters: 1000 },
      requestAttemptTimeoutMs: 15_000,
      tls: null,
    });
  });

  it('have none with linkerdCompat', () => {
    expect(paramsOf({}, '/#/io.l5d.fs/web', { linkerdCompat: true })).toMatchObject({
      hostConnectionPool: { minSize: 0, maxSize: null, idleTimeMs: null, maxWaiters: null },
      requestAttemptTimeoutMs: null,
      clientSession: { idleTimeMs: null, lifeTimeMs: null },
      balance: LINKERD_BALANCE,
    });
  });

  it('are the same for all names where the client is global', () => {
    expect(paramsOf({ failFast: false }, '/$/inet/127.0.0.1/80').balance.failFast).toBe(false);
  });

  it('come from all layers that match, the later the stronger, whatever is longer', () => {
    const client = layers(
      { prefix: '/#/io.l5d.fs/web', requestAttemptTimeoutMs: 1 },
      { prefix: '/#/io.l5d.fs', requestAttemptTimeoutMs: 2, failFast: false },
      { prefix: '/#/io.l5d.fs/other', requestAttemptTimeoutMs: 3 },
    );
    expect(paramsOf(client, '/#/io.l5d.fs/web')).toMatchObject({
      requestAttemptTimeoutMs: 2,
      balance: { failFast: false },
    });
    expect(paramsOf(client, '/#/io.l5d.fs/other')).toMatchObject({
      requestAttemptTimeoutMs: 3,
      balance: { failFast: false },
    });
    expect(paramsOf(client, '/#/io.l5d.marathon/web')).toMatchObject({
      requestAttemptTimeoutMs: 15_000,
      balance: { failFast: true },
    });
  });

  it('are laid over each other key by key in flat blocks, and as a whole in those with a kind', () => {
    const client = layers(
      { prefix: '/', hostConnectionPool: { maxSize: 10, maxWaiters: 1 }, loadBalancer: { kind: 'p2c', maxEffort: 9 } },
      { prefix: '/#', hostConnectionPool: { maxSize: 20 }, loadBalancer: { kind: 'ewma' } },
    );
    expect(paramsOf(client, '/#/a')).toMatchObject({
      hostConnectionPool: { minSize: 0, maxSize: 20, maxWaiters: 1 },
      balance: { loadBalancer: { kind: 'ewma', maxEffort: 5, decayTimeMs: 10_000 } },
    });
  });

  it('lift a limit with null', () => {
    const client = layers({ prefix: '/', requestAttemptTimeoutMs: 5 }, { prefix: '/#', requestAttemptTimeoutMs: null });
    expect(paramsOf(client, '/#/a').requestAttemptTimeoutMs).toBeNull();
  });

  it('match the name with the transformers that it went through', () => {
    const client = layers({ prefix: '/%/io.l5d.port/4141/#/io.l5d.marathon', failFast: false });
    expect(paramsOf(client, '/%/io.l5d.port/4141/#/io.l5d.marathon/web').balance.failFast).toBe(false);
    expect(paramsOf(client, '/#/io.l5d.marathon/web').balance.failFast).toBe(true);
  });

  it('have the name of the certificate from what the prefix captured', () => {
    const tls = { commonName: '{app}.{namer}.example.org', trustCertsBundle: 'ca.pem' };
    expect(paramsOf(layers({ prefix: '/#/{namer}/{app}', tls }), '/#/io.l5d.fs/web').tls).toEqual({
      disableValidation: false,
      commonName: 'web.io.l5d.fs.example.org',
      trustFiles: ['ca.pem'],
      clientAuth: null,
      protocols: null,
    });
  });

  it('take encryption back where a later layer says so', () => {
    const client = layers(
      { prefix: '/', tls: { disableValidation: true } },
      { prefix: '/#/a', tls: { enabled: false } },
    );
    expect(paramsOf(client, '/#/a').tls).toBeNull();
    expect(paramsOf(client, '/#/b').tls).toMatchObject({ disableValidation: true, commonName: null });
  });

  it('are the same after a way through JSON', () => {
    const { config } = loadConfig(join(import.meta.dirname, 'fixtures/everything.yaml'));
    const sent = JSON.parse(JSON.stringify(config)) as typeof config;
    const id = readPath('/#/io.l5d.fs/web');
    expect(sent.routers.map((router) => new ClientLayers(router).paramsFor(id))).toEqual(
      config.routers.map((router) => new ClientLayers(router).paramsFor(id)),
    );
  });
});

it('the encryption of a namer has no captures', () => {
  expect(
    clientTlsParams({ enabled: true, disableValidation: false, commonName: 'leader.mesos', trustCerts: ['a', 'b'] }),
  ).toMatchObject({ commonName: 'leader.mesos', trustFiles: ['a', 'b'] });
});
