/** Each check by itself: what it complains of, and that it says why and what to do. */
import { describe, expect, it } from 'vitest';
import { CHECKS } from '../../../scheduler/doctor/checks.ts';
import type { Facts } from '../../../scheduler/doctor/facts.ts';
import type { Finding } from '../../../scheduler/doctor/finding.ts';
import { answered, failed, node, refused, SOUND } from './facts.ts';

function findings(name: string, facts: Facts): readonly Finding[] {
  const check = CHECKS.find((each) => each.name === name);
  if (check === undefined) throw new Error(`there is no check ${name}`);
  return check.judge(facts);
}

const mesos = (rest: Partial<Facts['mesos']>): Partial<Facts> => ({ mesos: { ...SOUND.mesos, ...rest } });
const marathon = (rest: Partial<Facts['marathons'][number]>): Partial<Facts> => ({
  marathons: SOUND.marathons.map((each) => ({ ...each, ...rest })),
});
const config = (rest: Partial<Facts['config']>): Partial<Facts> => ({ config: { ...SOUND.config, ...rest } });
const zooKeeper = (...answers: Facts['zookeepers'][number]['servers'][number]['answer'][]): Partial<Facts> => ({
  zookeepers: [{ use: 'state', servers: answers.map((answer, index) => ({ server: `z${index + 1}:2181`, answer })) }],
});
const SERVING = { kind: 'serving', mode: 'leader', averageMs: 1, mostMs: 9, tookMs: 1 } as const;
const AWAY = { kind: 'unreachable', reason: 'connection refused' } as const;
const clock = (seconds: number) => ({ aheadMs: seconds * 1_000, plusMinusMs: 600 });

const FRAMEWORK = { id: 'f-1', name: 'nodemesh', roles: [], active: true, connected: true };

/** What is broken, the check that says it, how bad it is, and words of what it says. */
const BROKEN: readonly (readonly [string, Partial<Facts>, check: string, Finding['severity'], RegExp])[] = [
  ['no leader', mesos({ masters: [] }), 'mesos', 'error', /no Mesos master leads/],
  ['no answer', mesos({ version: failed() }), 'mesos', 'error', /does not answer.*connection refused.*--master/],
  ['a login that is not taken', mesos({ version: refused(401) }), 'mesos', 'error', /answers 401.*permissions/],
  ['an old Mesos', mesos({ version: answered('1.4.1') }), 'mesos', 'warning', /1\.4\.1 is older/],
  ['not registered', { frameworkId: null }, 'framework', 'error', /not registered/],
  ['not subscribed', { subscribed: false }, 'framework', 'error', /not subscribed/],
  ['removed', mesos({ frameworks: answered([]) }), 'framework', 'error', /does not know this framework/],
  [
    'inactive',
    mesos({ frameworks: answered([{ ...FRAMEWORK, active: false }]) }),
    'framework',
    'warning',
    /not active.*no offers/,
  ],
  [
    'a twin',
    mesos({ frameworks: answered([FRAMEWORK, { ...FRAMEWORK, id: 'f-0' }]) }),
    'framework',
    'warning',
    /f-0.*another framework/,
  ],
  [
    'a light role',
    mesos({ roles: answered([{ name: 'nodemesh', weight: 0.5, cpusLimit: null }]) }),
    'roles',
    'warning',
    /weight 0\.5/,
  ],
  [
    'a small quota',
    mesos({ roles: answered([{ name: 'nodemesh', weight: 1, cpusLimit: 1.5 }]) }),
    'roles',
    'error',
    /1\.5 CPUs, and its proxies need 2/,
  ],
  ['no agents', { nodes: [] }, 'agents', 'warning', /no agent is known/],
  [
    'a node without a proxy',
    { nodes: [node('node9', { state: 'pending', reason: 'The last offer did not fit.' })] },
    'agents',
    'error',
    /node9.*is pending.*did not fit.*nodemesh why node9/,
  ],
  [
    'many of them',
    { nodes: Array.from({ length: 30 }, (_, n) => node(`n${n}`, { state: 'lost' })) },
    'agents',
    'error',
    /20 more.*nodemesh nodes/,
  ],
  ['one on its way', { nodes: [node('node9', { state: 'launching' })] }, 'agents', 'note', /is launching/],
  ['Marathon away', marathon({ info: failed() }), 'marathon', 'error', /does not answer.*--marathon/],
  [
    'Marathon without a leader',
    marathon({ info: answered({ version: '1.8', leader: null }) }),
    'marathon',
    'error',
    /no leader/,
  ],
  [
    'no events',
    marathon({ followed: { prefix: '', connected: false, synced: true, reason: 'answered 404' } }),
    'marathon',
    'error',
    /no event stream.*answered 404/,
  ],
  [
    'a table in the making',
    marathon({ followed: { prefix: '', connected: true, synced: false, reason: null } }),
    'marathon',
    'error',
    /not all known/,
  ],
  [
    'ZooKeeper away',
    zooKeeper(AWAY, AWAY, AWAY),
    'zookeeper',
    'error',
    /no server of ZooKeeper serves.*z3:2181: connection refused/,
  ],
  ['one server away', zooKeeper(SERVING, SERVING, AWAY), 'zookeeper', 'warning', /1 of 3/],
  [
    'two servers away',
    zooKeeper(SERVING, AWAY, { kind: 'not-serving', said: 'no quorum' }),
    'zookeeper',
    'error',
    /2 of 3.*too few.*no quorum/,
  ],
  ['a slow one', zooKeeper({ ...SERVING, averageMs: 250 }), 'zookeeper', 'warning', /250 ms on average.*dataLogDir/],
  [
    'a name that is not found',
    { names: [{ name: 'm.example', usedFor: 'Marathon', answer: { kind: 'not-found', reason: 'no such host' } }] },
    'dns',
    'error',
    /m\.example.*name of Marathon/,
  ],
  [
    'no DC/OS',
    { names: [{ name: 'leader.mesos', usedFor: null, answer: { kind: 'not-found', reason: 'no such host' } }] },
    'dns',
    'note',
    /no DC\/OS/,
  ],
  [
    'slow names',
    { names: [{ name: 'm.example', usedFor: 'Marathon', answer: { kind: 'found', addresses: [], tookMs: 5_010 } }] },
    'dns',
    'warning',
    /5\.0 s.*resolv\.conf/,
  ],
  [
    'a port that is not offered',
    mesos({ agents: answered([{ agentId: 'a', hostname: 'node3', url: null, ports: [[31_000, 32_000]] }]) }),
    'ports',
    'error',
    /port 4140.*1 of 1 agents.*--ports/,
  ],
  [
    'a port that somebody has',
    { nodes: [node('node3', { state: 'pending', taken: [4140] })] },
    'ports',
    'error',
    /node3.*another program has port 4140.*ss -ltnp/,
  ],
  [
    'a clock that is off',
    { clocks: [{ hostname: 'node3', clock: clock(-9) }] },
    'clocks',
    'warning',
    /node3 \(9 s behind\)/,
  ],
  [
    'a clock that is far off',
    { clocks: [{ hostname: 'node3', clock: clock(3_600) }] },
    'clocks',
    'error',
    /3600 s off/,
  ],
  [
    'our own clock',
    {
      ...mesos({ version: { kind: 'answered', url: 'http://m', value: '1.11.0', clock: clock(30) } }),
      clocks: [1, 2, 3].map((n) => ({ hostname: `n${n}`, clock: clock(30) })),
    },
    'clocks',
    'warning',
    /the scheduler's machine/,
  ],
  [
    'a grant that is missing',
    mesos({ agents: refused(403) }),
    'permissions',
    'error',
    /may not see agents \(403\).*view_roles/,
  ],
  [
    'a grant that is missing at work',
    {
      refusals: [
        {
          what: 'mesos LAUNCH',
          text: 'mesos LAUNCH is refused: user',
          grants: ['dcos x grant mesh y create'],
          since: 1,
        },
      ],
    },
    'permissions',
    'error',
    /mesos LAUNCH is refused.*grant what is missing: dcos x grant mesh y create.*nodemesh permissions/,
  ],
  [
    'a login that is missing',
    marathon({ info: refused(401) }),
    'permissions',
    'error',
    /may not read Marathon.*401.*--marathon-credential-file/,
  ],
  ['nobody', config({ user: 'nobody' }), 'user', 'warning', /nobody.*--user/],
  [
    'few files',
    { nodes: [node('node3', { proxy: answered({ openFilesLimit: 1_024, periods: null, throttledPeriods: null }) })] },
    'files',
    'warning',
    /node3.*only 1024 files.*LimitNOFILE/,
  ],
  [
    'a throttled proxy',
    { nodes: [node('node3', { proxy: answered({ openFilesLimit: 9_999, periods: 400, throttledPeriods: 100 }) })] },
    'cpu',
    'warning',
    /node3 \(25 %\).*1 CPU and no more.*--proxy-cpus/,
  ],
  ['an old table', { nodes: [node('node3', { tableAgeSeconds: 90 })] }, 'tables', 'warning', /1 of 1 proxies.*90 s/],
];

describe('where nothing is wrong', () => {
  it.each(CHECKS)('$name says so', ({ judge }) => {
    const all = judge(SOUND);
    expect(all.length).toBeGreaterThan(0);
    expect(all.filter(({ severity }) => severity !== 'ok' && severity !== 'note')).toEqual([]);
  });
});

describe('what is wrong is told by one check', () => {
  it.each(BROKEN)('%s', (_, facts, name, severity, words) => {
    const broken = { ...SOUND, ...facts };
    const all = findings(name, broken);
    const worst = all.filter((finding) => finding.severity === severity);
    expect(worst, JSON.stringify(all)).not.toEqual([]);
    expect(worst.map(({ subject, what, why, todo }) => `${subject}: ${what}; ${why}; ${todo}`).join('\n')).toMatch(
      words,
    );
    for (const finding of all) {
      if (finding.severity !== 'warning' && finding.severity !== 'error') continue;
      expect(finding.why, 'a complaint says why').not.toBe(null);
      expect(finding.todo, 'a complaint says what to do').not.toBe(null);
    }
  });

  it('every check is in the list, with something to complain of', () => {
    expect(new Set(BROKEN.map(([, , name]) => name))).toEqual(new Set(CHECKS.map(({ name }) => name)));
  });
});

it('what could not be asked is unknown, and no error of another check', () => {
  const blind: Facts = {
    ...SOUND,
    ...{
      leading: false,
      frameworkId: null,
      subscribed: false,
      nodes: [],
      clocks: [],
      marathons: [],
      zookeepers: [],
      names: [],
    },
    mesos: { masters: ['http://m'], version: failed(), frameworks: failed(), agents: failed(), roles: failed() },
  };
  const severities = Object.fromEntries(
    CHECKS.map(({ name, judge }) => [name, judge(blind).map(({ severity }) => severity)]),
  );
  expect(severities).toMatchObject({
    mesos: ['error'],
    ...{ framework: ['unknown'], roles: ['unknown'], agents: ['unknown'], ports: ['unknown'], clocks: ['unknown'] },
    ...{ files: ['unknown'], cpu: ['unknown'], tables: ['unknown'] },
  });
});
