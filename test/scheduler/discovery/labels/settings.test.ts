/** What each label comes to, and what is said of those that are wrong. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { serviceSettingsSchema } from '../../../../agent-proxy/control/contract.ts';
import { portFactsOf } from '../../../../agent-proxy/routing/marathon-ports.ts';
import { labelKey, labelKeyNames } from '../../../../scheduler/discovery/labels/keys.ts';
import { settingsOf } from '../../../../scheduler/discovery/labels/settings.ts';

const PORTS = { portDefinitions: [{ name: 'http' }, { name: 'admin' }, {}] };

function read(labels: Record<string, string>, document: object = PORTS, edge = ['external', '-']) {
  return settingsOf({ labels, ...portFactsOf(document) }, edge);
}

function policy(labels: Record<string, string>) {
  const { settings, notes } = read(labels);
  expect(notes).toEqual([]);
  return settings.policies;
}

const ofClient = (client: object, port: string | null = null) => [{ port, service: {}, client }];
const ofService = (service: object, port: string | null = null) => [{ port, service, client: {} }];

describe('a label NODEMESH_', () => {
  it.each([
    ['TIMEOUT', '5s', ofService({ totalTimeoutMs: 5_000 })],
    ['TIMEOUT', 'none', ofService({ totalTimeoutMs: null })],
    ['ATTEMPT_TIMEOUT', '500ms', ofClient({ requestAttemptTimeoutMs: 500 })],
    ['ATTEMPT_TIMEOUT', ' 1.5s ', ofClient({ requestAttemptTimeoutMs: 1_500 })],
    ['RETRIES', '0', ofService({ nodemesh: { maxRetries: 0 } })],
    ['BUDGET', '20%', ofService({ retries: { budget: { percentCanRetry: 0.2 } } })],
    [
      'BUDGET',
      '10/s 7% 30s',
      ofService({ retries: { budget: { percentCanRetry: 0.07, minRetriesPerSec: 10, ttlSecs: 30 } } }),
    ],
    ['CLASSIFIER', 'retryableread5xx', ofService({ responseClassifier: { kind: 'io.l5d.http.retryableRead5XX' } })],
    [
      'CLASSIFIER',
      'io.l5d.http.allSuccessful',
      ofService({ responseClassifier: { kind: 'io.l5d.http.allSuccessful' } }),
    ],
    ['BALANCER', 'ewma decayTimeMs=5s', ofClient({ loadBalancer: { kind: 'ewma', decayTimeMs: 5_000 } })],
    ['BALANCER', 'roundrobin', ofClient({ loadBalancer: { kind: 'roundRobin' } })],
    [
      'ACCRUAL',
      'consecutiveFailures failures=3',
      ofClient({ failureAccrual: { kind: 'io.l5d.consecutiveFailures', failures: '3' } }),
    ],
    [
      'ACCRUAL',
      'successRateWindowed, successRate=90%, window=1m',
      ofClient({ failureAccrual: { kind: 'io.l5d.successRateWindowed', successRate: 0.9, window: 60 } }),
    ],
    ['ACCRUAL', 'none', ofClient({ failureAccrual: { kind: 'none' } })],
    ['PROTOCOL', 'http', []],
  ])('%s: %s', (key, value, policies) => {
    expect(policy({ [`NODEMESH_${key}`]: value })).toEqual(policies);
  });

  it('of the app and of one of its ports stand side by side, that of the port last', () => {
    const labels = {
      NODEMESH_1_TIMEOUT: '9s',
      NODEMESH_TIMEOUT: '5s',
      NODEMESH_RETRIES: '1',
      NODEMESH_1_BALANCER: 'heap',
    };
    expect(policy(labels)).toEqual([
      { port: null, service: { totalTimeoutMs: 5_000, nodemesh: { maxRetries: 1 } }, client: {} },
      { port: 'admin', service: { totalTimeoutMs: 9_000 }, client: { loadBalancer: { kind: 'heap' } } },
    ]);
    expect(policy({ NODEMESH_2_TIMEOUT: '9s' })).toMatchObject([{ port: 'port2' }]);
  });

  it('WEIGHT and SLOW_START are no matter of policies', () => {
    const { weight, settings } = read({ NODEMESH_WEIGHT: '0.5', NODEMESH_SLOW_START: '30s' });
    expect({ weight, ...settings }).toMatchObject({ weight: 0.5, slowStartMs: 30_000, policies: [] });
    expect(read({}).weight).toBe(1);
  });

  it('EXPOSE names hosts and paths, of the first port where there is no index', () => {
    const labels = { NODEMESH_EXPOSE: 'WWW.example.com, example.com/shop', NODEMESH_1_EXPOSE: 'admin.example.com' };
    const rest = { redirectToHttps: false, sticky: false };
    expect(read(labels).settings.exposed).toEqual([
      { host: 'admin.example.com', path: '/', port: 'admin', ...rest },
      { host: 'www.example.com', path: '/', port: 'http', ...rest },
      { host: 'example.com', path: '/shop', port: 'http', ...rest },
    ]);
  });

  it('P27, P28: OFF takes everything else back', () => {
    const labels = { NODEMESH_OFF: 'true', NODEMESH_TIMEOUT: '5s', NODEMESH_EXPOSE: 'a.b', NODEMESH_WEIGHT: '3' };
    expect(read(labels)).toEqual({
      settings: { off: true, vips: [], exposed: [], policies: [], slowStartMs: 0 },
      weight: 1,
      notes: [],
    });
    expect(read({ NODEMESH_OFF: 'false' }).settings.off).toBe(false);
  });

  it.each([
    ['NODEMESH_TIMEOUT', '5 seconds', "'5 seconds' is no time like 500ms, 2s or 5m; the label is ignored"],
    ['NODEMESH_RETRIES', '-1', "'-1' is no whole number from 0 to 10; the label is ignored"],
    ['NODEMESH_WEIGHT', '0', "'0' is no number from 0.01 to 1000; the label is ignored"],
    ['NODEMESH_OFF', 'yes', "'yes' is neither true nor false; the label is ignored"],
    ['NODEMESH_PROTOCOL', 'h2', "'h2' is not supported yet; there is http; the label is ignored"],
    ['NODEMESH_BUDGET', '120s', 'budget.ttlSecs: is not a whole number from 1 to 60; the label is ignored'],
    ['NODEMESH_ACCRUAL', 'consecutiveFailures', 'failures: is needed; the label is ignored'],
    ['NODEMESH_EXPOSE', 'http://a.b', "'http:' is no host name like www.example.com; the label is ignored"],
    ['NODEMESH_TIMOUT', '5s', 'is not known; did you mean NODEMESH_TIMEOUT?'],
    ['NODEMESH_1_RETRY', '5', 'is not known; did you mean NODEMESH_1_RETRIES?'],
    ['NODEMESH_3_TIMEOUT', '5s', 'the app has no port 3: its ports are 0 to 2; the label is ignored'],
    ['NODEMESH_0_WEIGHT', '2', 'holds for the whole app only: write NODEMESH_WEIGHT; the label is ignored'],
  ])('%s: %s is ignored with a reason', (label, value, message) => {
    const { settings, notes } = read({ [label]: value, NODEMESH_ATTEMPT_TIMEOUT: '1s' });
    expect(notes).toEqual([{ label, message }]);
    expect(settings.policies).toEqual(ofClient({ requestAttemptTimeoutMs: 1_000 }));
  });

  it('with an unknown kind is told the kinds', () => {
    const [note] = read({ NODEMESH_BALANCER: 'leastRequest' }).notes;
    expect(note?.message).toContain(
      "unknown load balancer 'leastRequest'; one of p2c, ewma, aperture, heap, roundRobin",
    );
  });

  it('has an example that is right, and is not read where it is none of ours', () => {
    for (const name of labelKeyNames()) {
      expect(labelKey(name).value.safeParse(labelKey(name).example)).toMatchObject({ success: true });
    }
    expect(read({ team: 'NODEMESH_OFF', nodemesh_off: 'true', DCOS_SERVICE_NAME: 'x' })).toEqual(read({}));
  });
});

describe('any labels', () => {
  const key = fc.oneof(
    fc.constantFrom(...labelKeyNames()).map((name) => `NODEMESH_${name}`),
    fc.tuple(fc.nat(4), fc.constantFrom(...labelKeyNames())).map(([index, name]) => `NODEMESH_${index}_${name}`),
    fc
      .tuple(fc.nat(4), fc.constantFrom('GROUP', 'VHOST', 'PATH', 'STICKY', 'ENABLED', 'MODE'))
      .map(([n, k]) => `HAPROXY_${n}_${k}`),
    fc.string().map((text) => `NODEMESH_${text}`),
    fc.string(),
  );
  const value = fc.oneof(
    fc.constantFrom(...labelKeyNames().map((name) => labelKey(name).example)),
    fc.constantFrom('external', 'true', '/a /b', 'a.b,c.d', '10%', '0', '-1', '1e9s', '999999999h'),
    fc.string(),
  );

  it('give settings that the proxies understand, or a reason for each that is ignored', () => {
    fc.assert(
      fc.property(fc.dictionary(key, value, { noNullPrototype: true }), (labels) => {
        const { settings, weight, notes } = read(labels);
        expect(serviceSettingsSchema.parse(settings)).toEqual(settings);
        expect(weight).toBeGreaterThan(0);
        expect(notes.every(({ label, message }) => Object.hasOwn(labels, label) && message !== '')).toBe(true);
      }),
    );
  });

  it('P33: that are wrong change nothing of what the others say', () => {
    const good = { NODEMESH_TIMEOUT: '5s', NODEMESH_EXPOSE: 'a.b', HAPROXY_1_VHOST: 'c.d' };
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), (text) => {
        const bad = {
          NODEMESH_WEIGHT: `${text}!`,
          NODEMESH_BUDGET: `${text}!`,
          NODEMESH_1_OFF: text,
          HAPROXY_2_PATH: text,
        };
        expect(read({ ...good, ...bad }).settings).toEqual(read(good).settings);
      }),
    );
  });
});
