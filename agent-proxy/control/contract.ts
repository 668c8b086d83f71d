/**
 * The contract between the scheduler and the proxies, and between two proxies: every wire type in one place. With its
 * paths and headers (wire-words.ts) and the scale of latencies (latency-scale.ts) it is all that the scheduler may import
 * of the proxy, besides `routing/` and `config/`.
 *
 * Transport (HTTP/1.1, scheduler listens):
 * - `POST /control/v1/enroll`, body {@link Enroll}: answers 204 when the hash of the proxy's key is kept, for whoever leads;
 *   again for the same one. 401: a wrong token; 404: no agent has the task; 409: another key is known for it already.
 * - `POST /control/v1/subscribe`, body {@link Subscribe}: answers 200 with an endless RecordIO stream
 *   (`<decimal byte length>\n<json>`) of {@link Frame}s. A relay can cut frames by their length and needs to know
 *   nothing else of them.
 * - `POST /control/v1/report`, body {@link Report}: answers 204; 409 when the session is not (or no longer) known,
 *   upon which the proxy subscribes again.
 * - `POST /control/v1/announce` on the proxy's admin listener, body {@link Announce}: a scheduler that moved tells the
 *   proxies where it is; answers 204, or 409 for an epoch below the highest seen.
 * - `POST /control/v1/want`, body {@link Want}: answers as to a report. Only in the scope `bound`, see {@link endpointsSchema}.
 * A proxy that was launched with a token (enrolment.ts) enrols before it first subscribes. From then on subscribe, report and want
 * carry `Authorization: Bearer <its key>`, and its task in `nodemesh-task`; 401 is a reason to enrol again. An announcement to
 * it carries `Authorization: Nodemesh <HMAC-SHA256 of the body under the key's hash>`. Without a token each carries
 * `Authorization: Bearer <cluster key>` off loopback.
 *
 * Order on a stream: `hello`, then a snapshot (`snapshot-begin`, any number of `services`, `agents` and `documents` records,
 * `snapshot-end`), then `delta`s whose `base` is the revision before; perhaps another snapshot, and so on. Between the
 * beginning and the end of a snapshot there is no delta. A gap is a reason to subscribe again. `config`, `heartbeat` and
 * `upgrade` may stand anywhere after `hello`; `upgrade` is sent only to a proxy that says which code it runs. Where the
 * proxy's table is known (`tableDigest`), a `resume` stands in the place of the first snapshot.
 *
 * To a proxy that accepts `gzip`, records may come compressed (RFC 1952): the first byte is 0x1f then, and not `{`. The
 * limit below holds for what is in them.
 *
 * Size: no record has more than {@link MAX_RECORD_BYTES}, and a service may have any number of endpoints. So in a
 * snapshot a service may stand in several `services` records, and the reader appends; a change that is too large for one
 * delta is cut into several, each a revision of its own with its own digest. See {@link deltaSchema}.
 */
import { z } from 'zod';

/**
 * Nothing on the proxy's loop takes longer than 5 ms, so no record is larger than this, the length in front of it
 * included.
 */
export const MAX_RECORD_BYTES = 64 * 1024;

// ---- facts: endpoints, agents and documents ----------------------------------------------------------------------------------

export const namedPortSchema = z.object({
  name: z.string(),
  port: z.number().int().min(1).max(65_535),
  /** Its position in the definitions of its app, where that is not its position in the list. */
  index: z.number().int().min(0).optional(),
});

/** Where one instance of a service is. Agent addresses come from Mesos, never from DNS or from the task's address. */
export const endpointSchema = z.object({
  service: z.string().min(1),
  /** The Mesos task id: the endpoint's key within its service. */
  instance: z.string().min(1),
  /** The task's own address: the agent's, or an overlay address. */
  address: z.string().min(1),
  /** The first port: the one that `Host: <service>` reaches. */
  port: z.number().int().min(1).max(65_535),
  ports: z.array(namedPortSchema),
  agentId: z.string().min(1),
  agentAddress: z.string().min(1),
  weight: z.number().positive(),
  /**
   * - `ready` gets traffic.
   * - `suspect`: Mesos has lost sight of its agent. It gets traffic only where no instance is ready, as long as it works.
   * - `unhealthy` runs but fails its checks, or has none passed yet.
   * - `draining` finishes what it has.
   */
  state: z.enum(['ready', 'suspect', 'unhealthy', 'draining']),
  /** Milliseconds since the epoch; null where nobody knows. */
  startedAt: z.number().nullable(),
  labels: z.record(z.string(), z.string()),
});
export type Endpoint = z.infer<typeof endpointSchema>;
export type EndpointState = Endpoint['state'];

/** The endpoints of one service, in no order that means anything. The name is the Marathon id without its leading slash. */
export const serviceSchema = z.object({ name: z.string().min(1), endpoints: z.array(endpointSchema) });
export type Service = z.infer<typeof serviceSchema>;

/** A change of some endpoints of a service that the table has. No instance stands in both lists. */
export const patchSchema = z.object({
  service: z.string().min(1),
  /** New, or in place of the endpoint of the same instance. */
  set: z.array(endpointSchema),
  /** Instances that are gone. */
  unset: z.array(z.string()),
});
export type Patch = z.infer<typeof patchSchema>;

/** One node's proxy, as its peers need to know it. If it is not ready they go to the instance directly. */
export const peerAgentSchema = z.object({
  agentId: z.string().min(1),
  address: z.string().min(1),
  incomingPort: z.number().int().min(1).max(65_535),
  ready: z.boolean(),
});
export type PeerAgent = z.infer<typeof peerAgentSchema>;

/** What the labels of an app say of it. Ports are named as in {@link namedPortSchema}. */
export const serviceSettingsSchema = z.object({
  /** The mesh leaves the app alone: its names do not bind. */
  off: z.boolean(),
  /** Virtual addresses: of `VIP_0: /web:80` the name `web`, its port 80, and the port of the app to which it leads. */
  vips: z.array(z.object({ vip: z.string().min(1), vipPort: z.number().int(), port: z.string() })),
  /** Where the edge router serves it: a host, and the beginning of a path (`/` for all). */
  exposed: z.array(
    z.object({
      host: z.string().min(1),
      path: z.string().startsWith('/'),
      port: z.string(),
      redirectToHttps: z.boolean(),
      sticky: z.boolean(),
    }),
  ),
  /**
   * Fragments of linkerd's configuration of services and clients, which go over what the router's own says of all (`/`).
   * `port` null: for all ports of the app.
   */
  policies: z.array(
    z.object({
      port: z.string().nullable(),
      service: z.record(z.string(), z.unknown()),
      client: z.record(z.string(), z.unknown()),
    }),
  ),
  /** Milliseconds over which the weight of a new instance grows to what it is; 0 for at once. */
  slowStartMs: z.number().int().min(0),
});
export type ServiceSettings = z.infer<typeof serviceSettingsSchema>;

/** What is known besides endpoints and agents: small, and named within its kind. */
export const documentSchema = z.discriminatedUnion('kind', [
  /** A namespace of dtabs, as text. `version` is that of the store where it is kept. */
  z.object({ kind: z.literal('dtab'), name: z.string().min(1), version: z.string(), dtab: z.string() }),
  /** Of the service of this name. None for a service of which there is nothing to say. */
  z.object({ kind: z.literal('settings'), name: z.string().min(1), settings: serviceSettingsSchema }),
  /**
   * In the scope `bound`: the service of this name has endpoints, which the table leaves out. What names need of them: the
   * ports of one, and which of them is its first (null: it has no name).
   */
  z.object({
    kind: z.literal('outline'),
    name: z.string().min(1),
    first: z.string().nullable(),
    ports: z.array(namedPortSchema.pick({ name: true, index: true })),
  }),
]);
export type MeshDocument = z.infer<typeof documentSchema>;
export type DocumentKind = MeshDocument['kind'];
export type DocumentOf<Kind extends DocumentKind> = Extract<MeshDocument, { kind: Kind }>;

export const documentRefSchema = z.object({ kind: z.enum(['dtab', 'settings', 'outline']), name: z.string().min(1) });
export type DocumentRef = z.infer<typeof documentRefSchema>;

/** The most that a document may take as JSON: it shares a record with others. */
export const MAX_DOCUMENT_BYTES = 48 * 1024;

// ---- frames: scheduler → proxy ------------------------------------------------------------------------------------

/** On every frame. A proxy refuses frames below the highest epoch that it has seen (kept on disk) and counts them. */
const epoch = z.number().int().min(1);
const revision = z.number().int().min(0);

/**
 * One revision to the next. A service stands in one of `upsert` (these endpoints and no others), `remove` and `patch`
 * (these endpoints are different, all others are as they were); a patch of a service that the table does not have is a
 * gap. A large new service comes as an upsert of some endpoints and patches that add the others.
 */
export const deltaSchema = z.object({
  type: z.literal('delta'),
  epoch,
  /** The revision that this delta applies to. */
  base: revision,
  revision,
  upsert: z.array(serviceSchema),
  remove: z.array(z.string()),
  patch: z.array(patchSchema),
  agents: z.array(peerAgentSchema),
  agentsRemoved: z.array(z.string()),
  documents: z.array(documentSchema),
  documentsRemoved: z.array(documentRefSchema),
});
export type Delta = z.infer<typeof deltaSchema>;

/**
 * The endpoints of one service, of those that this proxy wants and those that have an instance on its node. In the scope
 * `bound` (see `hello`) the table itself has none. These frames are counted by `seq`, from 1 on each stream; they may stand
 * anywhere after `hello`, and build on what the proxy said that it has (`Subscribe.filled`). Digests are those of a table of
 * this service alone.
 */
const seq = z.number().int().min(0);
const endpointsSchema = z.object({
  type: z.literal('endpoints'),
  epoch,
  seq,
  service: z.string().min(1),
  /** It has these endpoints and no others: perhaps in several frames, which follow on each other. */
  part: z.number().int().min(0),
  last: z.boolean(),
  digest: z.string(),
  endpoints: z.array(endpointSchema),
});
const endpointsPatchSchema = z.object({
  type: z.literal('endpoints-patch'),
  epoch,
  seq,
  /** Of its endpoints before and after. */
  base: z.string(),
  digest: z.string(),
  patch: patchSchema,
});
/** What happens to a service now is not told any more. */
const forgetSchema = z.object({ type: z.literal('forget'), epoch, seq, service: z.string().min(1) });

const sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'is not a SHA-256 in hexadecimal');

/** The proxy is to run other code: fetched, checked, started beside what runs, which then drains. */
export const upgradeSchema = z.object({
  type: z.literal('upgrade'),
  epoch,
  /** Where the archive is. */
  url: z.url({ protocol: /^https?$/ }),
  /** Of the archive. */
  sha256,
  /** What is in it. */
  version: z.string().min(1),
  codeSha256: sha256,
});
export type Upgrade = z.infer<typeof upgradeSchema>;

export const frameSchema = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('hello'),
    epoch,
    session: z.string().min(1),
    heartbeatMs: z.number().int().positive(),
    reportMs: z.number().int().positive(),
    /** Where to look for the scheduler when this stream ends, in order. */
    schedulers: z.array(z.string()),
    peerKey: z.string().min(16),
    /** Endpoints come for what is wanted only; absent: all of them. Only to a proxy that accepts `bound`. */
    scope: z.literal('bound').optional(),
  }),
  /**
   * `revision`: what stands on the stream before it leads there; 0 while there was no table. Another one is a gap. So is
   * another `seq`, in the scope `bound`.
   */
  z.object({ type: z.literal('heartbeat'), epoch, revision, seq: seq.optional() }),
  z.object({ type: z.literal('config'), epoch, configRevision: z.number().int().min(1), config: z.unknown() }),
  z.object({ type: z.literal('snapshot-begin'), epoch, revision }),
  /** Endpoints of a service that an earlier record of this snapshot names too are appended to its. */
  z.object({ type: z.literal('services'), epoch, revision, services: z.array(serviceSchema) }),
  z.object({ type: z.literal('agents'), epoch, revision, agents: z.array(peerAgentSchema) }),
  z.object({ type: z.literal('documents'), epoch, revision, documents: z.array(documentSchema) }),
  z.object({ type: z.literal('snapshot-end'), epoch, revision, digest: z.string() }),
  /** The proxy's table is the one of this revision, so it is kept, and the deltas from there follow. */
  z.object({ type: z.literal('resume'), epoch, revision }),
  deltaSchema,
  endpointsSchema,
  endpointsPatchSchema,
  forgetSchema,
  upgradeSchema,
]);
export type Frame = z.infer<typeof frameSchema>;
export type Hello = Extract<Frame, { type: 'hello' }>;

// ---- proxy → scheduler --------------------------------------------------------------------------------------------

export const enrollSchema = z.object({
  agentId: z.string().min(1),
  taskId: z.string().min(1),
  /** From the task's environment. */
  token: z.string().min(1).max(256),
  /** Of the key that the proxy will show. */
  keySha256: sha256,
});
export type Enroll = z.infer<typeof enrollSchema>;

/** The most services that a proxy may want. */
const MAX_WANTED = 4_096;

const wantedSchema = z.array(z.string().min(1)).max(MAX_WANTED);

/** These are the services whose endpoints the proxy wants, and no others. */
export const wantSchema = z.object({
  session: z.string().min(1),
  agentId: z.string().min(1),
  taskId: z.string().min(1),
  services: wantedSchema,
});
export type Want = z.infer<typeof wantSchema>;

export const subscribeSchema = z.object({
  agentId: z.string().min(1),
  taskId: z.string().min(1),
  nodeIp: z.string().min(1),
  /** The proxy's build, from package.json. */
  version: z.string().min(1),
  /** Of the file that runs; absent where the proxy cannot be upgraded in place. */
  codeSha256: sha256.optional(),
  /** The highest epoch seen: a scheduler below it is not the leader, and is told so by this number. */
  epoch: z.number().int().min(0),
  /** What the proxy has, if it has anything (also from disk). */
  revision,
  /** Of that table; absent where there is none. Whoever led when it was sent: equal digests are equal tables. */
  tableDigest: z.string().optional(),
  /**
   * What the proxy understands beyond the first version of the contract: `resume` the frame of that name, `gzip` records
   * of snapshots that are compressed, `bound` the scope of that name. Words that the scheduler does not know mean nothing to it.
   */
  accepts: z.array(z.string()).max(32).default([]),
  configRevision: z.number().int().min(0),
  /** As in {@link Want}, from the first moment on. */
  wants: wantedSchema.optional(),
  /** Services whose endpoints it has from a stream of the scope `bound`, each with the digest of them. */
  filled: z
    .array(z.tuple([z.string().min(1), z.string()]))
    .max(2 * MAX_WANTED)
    .optional(),
  ports: z.object({
    outgoing: z.number().int(),
    incoming: z.number().int(),
    admin: z.number().int(),
    /** Absent where there is no edge router. */
    edge: z.number().int().optional(),
  }),
});
export type Subscribe = z.infer<typeof subscribeSchema>;

/** How the last upgrade that was asked for stands. */
export const upgradeReportSchema = z.object({
  /**
   * - `fetching`: the archive is on its way, or being checked.
   * - `starting`: the new workers start beside the old ones.
   * - `proving`: the new code serves alone. In its first minute it may still be given up for the one before.
   * - `done`: it has served for a minute.
   * - `failed`: what ran before runs (again); `reason` says why.
   */
  state: z.enum(['fetching', 'starting', 'proving', 'done', 'failed']),
  /** Of the code that was asked for. */
  codeSha256: sha256,
  /** One sentence where it failed. */
  reason: z.string().nullable(),
});
export type UpgradeReport = z.infer<typeof upgradeReportSchema>;

/** A configuration that was asked for and is not used: what ran before runs on. */
export const configRefusalSchema = z.object({ revision, reason: z.string() });
export type ConfigRefusal = z.infer<typeof configRefusalSchema>;

/**
 * Counts since the last report, for one service as seen by one router. `latency` is a sparse histogram of milliseconds:
 * pairs of bucket index and count, see {@link latencyBucket}.
 */
export const trafficSchema = z.object({
  service: z.string(),
  router: z.enum(['outgoing', 'incoming']),
  requests: z.number().int().min(0),
  failures: z.number().int().min(0),
  /** Of the failures, those that the proxy made itself and no application. */
  proxyErrors: z.number().int().min(0),
  retries: z.number().int().min(0),
  latency: z.array(z.tuple([z.number().int(), z.number().int()])),
});
export type Traffic = z.infer<typeof trafficSchema>;

/** What the hop that sees all of an instance's traffic thinks of it. */
export const instanceHealthSchema = z.object({
  service: z.string(),
  instance: z.string(),
  inflight: z.number().int().min(0),
  /** Success rate of late, 0 to 1. */
  health: z.number().min(0).max(1),
});

/** A name as clients asked for it, `/svc/web`, and the namespace that it is evaluated in. */
export const askedNameSchema = z.object({
  namespace: z.string().min(1),
  name: z.string().min(1),
  /** Since its last request, milliseconds; absent: within the time of the report. */
  agoMs: z.number().min(0).optional(),
});
export type AskedName = z.infer<typeof askedNameSchema>;

export const reportSchema = z.object({
  session: z.string().min(1),
  agentId: z.string().min(1),
  taskId: z.string().min(1),
  epoch: z.number().int().min(0),
  revision,
  /** Of the configuration that runs. */
  configRevision: z.number().int().min(0),
  /** Absent where the last one that was asked for is what runs. */
  configError: configRefusalSchema.optional(),
  /** Digest of the proxy's tables at `revision` (`TableDigest` in routing), for anti-entropy. */
  digest: z.string(),
  /** In the scope `bound`: the digest of all endpoints that it was sent, after the frame `seq` of the stream. */
  filled: z.object({ seq, digest: z.string() }).optional(),
  /** How long ago the proxy's table was last known to be the scheduler's; absent from older proxies. */
  tableAgeMs: z.number().min(0).optional(),
  version: z.string(),
  codeSha256: sha256.optional(),
  /** Absent while no upgrade was asked for. */
  upgrade: upgradeReportSchema.optional(),
  ready: z.boolean(),
  /** One sentence where not ready. */
  reason: z.string().nullable(),
  /** Length of the time that the counts cover, milliseconds. */
  windowMs: z.number().min(0),
  traffic: z.array(trafficSchema),
  /**
   * Names that had a request since the last report, in the first report of a session since an hour ago; perhaps not all.
   * Absent where a proxy does not tell them.
   */
  names: z.array(askedNameSchema).max(5_000).optional(),
  instances: z.array(instanceHealthSchema),
  workerRestarts: z.number().int().min(0),
  staleFrames: z.number().int().min(0),
});
export type Report = z.infer<typeof reportSchema>;

export const announceSchema = z.object({ epoch, schedulers: z.array(z.string()).min(1) });
export type Announce = z.infer<typeof announceSchema>;
