/**
 * The answers of the API as schemas: what openapi.json says of them. Strict, so that a test that reads real answers by them
 * finds a key that is missing here.
 */
import { z } from 'zod';
import {
  configRefusalSchema,
  serviceSettingsSchema,
  upgradeReportSchema,
} from '../../../agent-proxy/control/contract.ts';
import { SEVERITIES } from '../../doctor/finding.ts';

const time = z.iso.datetime();
const share = z.number().min(0).max(1).nullable();
const milliseconds = z.number().nullable();
const planStatus = z.enum(['PENDING', 'IN_PROGRESS', 'WAITING', 'COMPLETE', 'ERROR']);

const health = z.strictObject({
  status: z.literal('ok'),
  version: z.string(),
  leading: z.boolean(),
  leader: z.string().nullable().describe('base URL of the leader, of a standby that knows it'),
  subscribed: z.boolean().describe('to the Mesos master'),
  frozen: z.boolean(),
  epoch: z.int().nullable(),
  revision: z.int().nullable().describe('of the table of services and agents'),
  sessions: z.int().describe('control sessions of proxies'),
  marathon: z.strictObject({ connected: z.boolean(), synced: z.boolean() }),
  marathons: z.array(
    z.strictObject({
      prefix: z.string(),
      connected: z.boolean(),
      synced: z.boolean(),
      reason: z.string().nullable().describe('why the last question had no answer'),
    }),
  ),
  mesosDiscovery: z.strictObject({ enabled: z.boolean().nullable(), connected: z.boolean() }),
  plans: z.record(z.string(), planStatus),
  refusals: z
    .array(
      z.strictObject({
        what: z.string().describe('`mesos SUBSCRIBE`, `marathon /v2/events`, `iam login`'),
        text: z.string().describe('what happened, and what to do'),
        grants: z.array(z.string()).describe('commands that grant what may be missing'),
        since: z.int().describe('Unix time, milliseconds'),
      }),
    )
    .describe('what the cluster does not let the scheduler do'),
  value: z.int().describe("the DC/OS SDK's number for the state of a service"),
  reasons: z.array(z.string()),
});

const running = z.strictObject({
  version: z.string(),
  configRevision: z.int(),
  configError: configRefusalSchema.optional(),
  codeSha256: z.string().nullable(),
  upgrade: upgradeReportSchema.nullable(),
});

const node = z.strictObject({
  agentId: z.string(),
  hostname: z.string(),
  ip: z.string(),
  public: z.boolean(),
  region: z.string().nullable(),
  zone: z.string().nullable(),
  state: z.enum(['pending', 'launching', 'healthy', 'unhealthy', 'draining', 'lost', 'excluded']),
  reason: z.string().nullable().describe('why it is not healthy'),
  heldOut: z.string().nullable().describe('why an operator wants no proxy there; null where nobody has said so'),
  taskId: z.string().nullable(),
  goal: z.string().nullable(),
  running: running.nullable().describe('null while nothing is known'),
  wanted: z
    .strictObject({ version: z.string(), configRevision: z.int(), codeSha256: z.string() })
    .nullable()
    .describe('null where no proxy is wanted'),
  sync: z
    .strictObject({
      revision: z.int(),
      digestOk: z.boolean().nullable(),
      repairs: z.int(),
      lastReport: time.nullable(),
      ageSeconds: z.number().nullable().describe('since the table was last known to be the one of the scheduler'),
    })
    .nullable()
    .describe('null while the proxy has no control session'),
  since: time,
});

const service = z.strictObject({
  name: z.string(),
  reason: z.string().nullable().describe('why some or all of its instances are not among the endpoints'),
  endpoints: z.array(
    z.strictObject({
      instance: z.string(),
      address: z.string(),
      port: z.int(),
      ports: z.array(z.strictObject({ name: z.string(), port: z.int(), index: z.int().optional() })),
      agentId: z.string(),
      healthy: z.boolean(),
      state: z.enum(['ready', 'suspect', 'unhealthy', 'draining']),
    }),
  ),
  settings: serviceSettingsSchema.nullable().describe('what its labels make of it, as proxies are told'),
  labels: z
    .array(z.strictObject({ label: z.string(), message: z.string() }))
    .describe('labels that do nothing, and why'),
});

const figures = { rps: z.number(), successRate: share, p50Ms: milliseconds, p99Ms: milliseconds };
const traffic = z.strictObject({
  windowMs: z.int(),
  nodes: z.array(z.strictObject({ agentId: z.string(), ...figures })),
  services: z.array(z.strictObject({ name: z.string(), ...figures, p95Ms: milliseconds, retries: z.number() })),
});

const step = z.strictObject({ id: z.string(), name: z.string(), status: planStatus, message: z.string() });
const phase = z.strictObject({
  id: z.string(),
  name: z.string(),
  strategy: z.string(),
  status: planStatus,
  steps: z.array(step),
});
const plan = z.strictObject({
  phases: z.array(phase),
  errors: z.array(z.string()),
  strategy: z.string(),
  status: planStatus,
});

const revision = {
  revision: z.int(),
  at: time,
  author: z.string().nullable(),
  note: z.string().nullable(),
  from: z.int().nullable().describe('the revision that it was to take the place of'),
  rollbackOf: z.int().nullable(),
  status: z.enum(['running', 'completed', 'unproven', 'bad', 'aborted']),
  why: z.string().nullable(),
};
const config = {
  config: z.unknown().describe('as it was written'),
  effective: z.unknown().optional().describe('with all that it leaves out'),
};

const namespaceVersion = {
  version: z.int(),
  etag: z.string(),
  dtab: z.string().nullable().describe('null: deleted'),
  at: time,
  by: z.string(),
  what: z.string(),
};
const { dtab: _dtab, ...withoutDtab } = namespaceVersion;

const shift = z.strictObject({
  service: z.string(),
  from: z.string(),
  to: z.string(),
  steps: z.array(z.number()).describe('percent'),
  everyMs: z.number(),
  minRequests: z.int(),
  state: z.enum(['running', 'paused', 'complete', 'turned-back', 'aborted', 'broken']),
  unproven: z.array(z.number()),
  reason: z.string().nullable(),
  by: z.string(),
  percent: z.number().describe('of the requests that go to the target now'),
  step: z.int().nullable(),
  counted: z.strictObject({ requests: z.int(), failures: z.int() }).nullable(),
  since: time,
  startedAt: time,
});

const auditEntry = z.strictObject({
  seq: z.int(),
  at: time,
  who: z.string(),
  what: z.string(),
  target: z.string().nullable(),
  from: z.union([z.int(), z.string()]).nullable(),
  to: z.union([z.int(), z.string()]).nullable(),
  status: z.int().nullable(),
});

const finding = z.strictObject({
  severity: z.enum(SEVERITIES),
  what: z.string().describe('what happened'),
  subject: z.string().describe('to what'),
  why: z.string().nullable(),
  todo: z.string().nullable().describe('what to do; null: nothing'),
});

/** By the names that they have among the document's components. */
export const ANSWERS = {
  Error: z.object({ error: z.string().describe('one sentence: what happened, to what, why, and what to do') }),
  Message: z.strictObject({ message: z.string() }),
  Probe: z.strictObject({
    agentId: z.string(),
    listeners: z.array(
      z.strictObject({ port: z.int(), fault: z.string().nullable().describe('null where it answers') }),
    ),
  }),
  Health: health,
  Node: node,
  Nodes: z.array(node),
  Services: z.array(service),
  Traffic: traffic,
  Diagnosis: z.strictObject({
    at: time,
    tookMs: z.int(),
    worst: z.enum(SEVERITIES),
    checks: z.array(z.strictObject({ name: z.string(), findings: z.array(finding) })),
  }),
  FrameworkId: z.array(z.string()).max(1),
  Names: z.array(z.string()),
  Plan: plan,
  Frozen: z.strictObject({ frozen: z.boolean() }),
  FreezeChanged: z.strictObject({ frozen: z.boolean(), message: z.string() }),
  Config: z.strictObject({ ...revision, ...config, rollingOut: z.int().nullable() }),
  ConfigRevisions: z.array(z.strictObject(revision)),
  ConfigRevision: z.strictObject({
    ...revision,
    ...config,
    diff: z
      .array(z.strictObject({ path: z.string(), before: z.unknown().optional(), after: z.unknown().optional() }))
      .nullable(),
  }),
  ConfigBegun: z.strictObject({ revision: z.int(), plan: z.string(), warnings: z.array(z.string()) }),
  ConfigFaults: z.object({
    error: z.string(),
    errors: z.array(z.strictObject({ path: z.string(), line: z.int(), column: z.int(), message: z.string() })),
  }),
  Namespaces: z.array(z.strictObject({ name: z.string(), ...withoutDtab, dentries: z.int() })),
  Namespace: z.strictObject({ name: z.string(), ...namespaceVersion, dentries: z.int() }),
  NamespaceHistory: z.array(z.strictObject(namespaceVersion)),
  Reverted: z.strictObject({ name: z.string(), version: z.int(), revertedTo: z.int(), deleted: z.boolean() }),
  Shift: shift,
  Shifts: z.array(shift),
  Audit: z.array(auditEntry),
  AmbiguousNames: z.array(
    z.strictObject({
      kind: z.enum(['mesos-dns', 'vip', 'edge']),
      name: z.string(),
      services: z.array(z.string()).describe('the one that has it, then the others'),
    }),
  ),
} as const satisfies Record<string, z.ZodType>;

export type AnswerName = keyof typeof ANSWERS;
