/**
 * The control side of a worker under a scheduler: what is on disk, the link, and the report. It owns what outlives a
 * stream (epoch, keys, revision of the configuration) and gives the link what it needs.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { MeshSpec, ProxySpec } from '../config/spec.ts';
import type { ServiceTable } from '../routing/service-table.ts';
import type { Log } from '../telemetry/log.ts';
import type { TrafficWindow } from '../telemetry/traffic.ts';
import type { Announce, Hello, Report, Subscribe, Upgrade } from './contract.ts';
import { isAnnouncedBy } from './enrolment.ts';
import { EpochGuard } from './epoch-guard.ts';
import { type LastSnapshot, loadSnapshot, SnapshotFile } from './last-snapshot.ts';
import { type Announced, ControlLink, type LinkHost } from './link.ts';
import type { OwnCode } from './own-code.ts';
import type { OwnConfig } from './own-config.ts';
import type { PeerKeys } from './peer-keys.ts';
import { RecentNames } from './recent-names.ts';
import { SchedulerClient } from './scheduler-client.ts';
import { SchedulerList } from './scheduler-list.ts';
import { subscribedScope } from './wanting.ts';
import { CONTROL_ACCEPTED } from './wire-words.ts';

/** How long another configuration waits for the first table: without Marathon there may be none for long. */
const FIRST_TABLE_MS = 5_000;

/** Counts since the last report; given back when it did not arrive. */
interface Traffic {
  take(now: number): TrafficWindow;
  giveBack(window: TrafficWindow): void;
}

export interface MeshControlOptions {
  readonly spec: ProxySpec;
  readonly mesh: MeshSpec;
  readonly ports: Subscribe['ports'];
  readonly table: ServiceTable;
  readonly keys: PeerKeys;
  /** The counts for the next report, of all workers. */
  readonly traffic: Traffic;
  readonly instances: () => Report['instances'];
  /** One sentence where the proxy is not ready, else null. */
  readonly notReady: () => string | null;
  readonly workerRestarts: number;
  /** A leader has said by which key peers know each other. */
  readonly keyTold: (key: string) => void;
  readonly code: OwnCode;
  readonly config: OwnConfig;
  readonly now: () => number;
  readonly random: () => number;
  readonly log: Log;
}

export class MeshControl implements LinkHost {
  readonly table: ServiceTable;
  readonly epochs: EpochGuard;
  readonly schedulers: SchedulerList;
  readonly client: SchedulerClient;
  readonly random: () => number;
  readonly agentId: string;
  readonly taskId: string;
  readonly link: ControlLink;
  private readonly options: MeshControlOptions;
  private readonly names = new RecentNames();
  private readonly file: SnapshotFile;
  /** Milliseconds since the epoch. */
  private readonly savedAt: number;
  private configsRefused = 0;
  private firstTableCame: () => void = () => undefined;
  private readonly firstTable = new Promise<void>((resolve) => {
    this.firstTableCame = resolve;
  });

  constructor(options: MeshControlOptions) {
    const { spec, mesh, table, keys, log } = options;
    const { snapshot, why, savedAt } = loadSnapshot(spec.dataDir);
    this.savedAt = savedAt ?? options.now();
    if (why !== null) log.warn('what is on disk cannot be used', { dir: spec.dataDir, why });
    this.options = options;
    this.table = table;
    this.random = options.random;
    this.client = new SchedulerClient({ ...mesh, clusterKey: spec.clusterKey, enrolment: spec.enrolment });
    this.agentId = mesh.agentId;
    this.taskId = mesh.taskId;
    this.file = new SnapshotFile(spec.dataDir, () => this.contents());
    this.epochs = new EpochGuard(snapshot?.epoch ?? 0, () => this.file.touch());
    this.schedulers = new SchedulerList(mesh.schedulers, snapshot?.schedulers ?? []);
    if (snapshot !== null) {
      const { revision, services } = snapshot;
      restore(snapshot, table, keys);
      log.info('table from disk', { revision, services: services.length, epoch: snapshot.epoch });
    }
    this.link = new ControlLink(this);
    options.code.onChange(() => this.link.reportSoon());
    options.config.onChange(() => {
      this.configsRefused += 1;
      this.link.reportSoon();
    });
  }

  announced(announce: Announce): Announced {
    return this.link.announced(announce);
  }

  /** Whether an announcement comes from the scheduler that the proxy has enrolled at, or was launched by. */
  knows(authorization: string | undefined, body: string): boolean {
    const { enrolment } = this.options.spec;
    return enrolment !== null && isAnnouncedBy(enrolment, this.epochs.highest > 0, authorization, body);
  }

  /** Ends the link; what has changed is written. */
  async close(): Promise<void> {
    this.link.close();
    this.client.close();
    await this.file.flush();
  }

  figures(): Readonly<Record<string, number>> {
    return {
      connected: this.link.status === 'streaming' ? 1 : 0,
      connects: this.link.connects,
      gaps: this.link.gaps,
      epoch: this.epochs.highest,
      stale_frames: this.epochs.refused,
      revision: this.table.revision,
      table_age_s: Math.round(this.tableAgeMs() / 1_000),
      config_revision: this.options.config.revision,
      configs_refused: this.configsRefused,
      snapshot_write_failures: this.file.failures,
    };
  }

  subscription(): Subscribe {
    const { mesh, spec, ports, code, config } = this.options;
    return {
      agentId: mesh.agentId,
      taskId: mesh.taskId,
      nodeIp: mesh.nodeIp,
      version: spec.version,
      ...(code.sha256 === null ? {} : { codeSha256: code.sha256 }),
      epoch: this.epochs.highest,
      revision: this.table.revision,
      ...(this.table.ready ? { tableDigest: this.table.digest() } : {}),
      ...subscribedScope(this.table),
      accepts: [...CONTROL_ACCEPTED],
      configRevision: config.revision,
      ports,
    };
  }

  report(session: string, seq: number | null): { body: Report; sent: (taken: boolean) => void } {
    const { mesh, spec, traffic, now, code, config } = this.options;
    const window = traffic.take(now());
    const reason = this.options.notReady();
    const body: Report = {
      session,
      agentId: mesh.agentId,
      taskId: mesh.taskId,
      epoch: this.epochs.highest,
      revision: this.table.revision,
      configRevision: config.revision,
      ...(config.refusal === null ? {} : { configError: config.refusal }),
      digest: this.table.digest(),
      ...(seq === null ? {} : { filled: { seq, digest: this.table.filledDigest() } }),
      tableAgeMs: Math.round(this.tableAgeMs()),
      version: spec.version,
      ...(code.sha256 === null ? {} : { codeSha256: code.sha256 }),
      ...(code.upgrade === null ? {} : { upgrade: code.upgrade }),
      ready: reason === null,
      reason,
      windowMs: Math.max(0, now() - window.startedAt),
      traffic: [...window.traffic],
      names: this.names.report(session, window.names, now()),
      instances: this.options.instances(),
      workerRestarts: this.options.workerRestarts,
      staleFrames: this.epochs.refused,
    };
    return {
      body,
      sent: (taken) => {
        if (!taken) {
          traffic.giveBack(window);
          return;
        }
        this.names.taken(session);
        if (reason === null) code.reached();
      },
    };
  }

  greeted(hello: Hello): void {
    this.options.keys.set(hello.peerKey);
    this.options.keyTold(hello.peerKey);
    this.file.touch();
  }

  /** The next worker, should there be one for it, begins with what is on disk, so that is brought up to date first. */
  configured(revision: number, document: unknown): void {
    const { config, log } = this.options;
    const outcome = config.configure({ revision, document: document ?? {} }, () => this.written());
    if (outcome !== 'runs') log.info(`configuration ${outcome}`, { revision });
  }

  /** The next worker begins with what is on disk, so that is brought up to date first. */
  upgradeAsked(upgrade: Upgrade): void {
    this.options.log.info('upgrade asked for', { version: upgrade.version, codeSha256: upgrade.codeSha256 });
    void this.written().then(() => this.options.code.ask(upgrade));
  }

  tableChanged(): void {
    this.file.touch();
    if (this.table.ready) this.firstTableCame();
  }

  /**
   * A proxy's first stream has its configuration in front of the first table. Who took over then would have none, and refuse
   * what the worker before it could have served.
   */
  private async written(): Promise<void> {
    if (!this.table.ready) await Promise.race([this.firstTable, sleep(FIRST_TABLE_MS, undefined, { ref: false })]);
    await this.file.flush();
  }

  log(message: string, fields: Readonly<Record<string, string | number>>): void {
    this.options.log.info(message, fields);
  }

  /** Since the table was last known to be the scheduler's. Before that was ever so: since what is on disk was written. */
  private tableAgeMs(): number {
    const { currentAt } = this.link;
    const ageMs = currentAt === null ? this.options.now() - this.savedAt : performance.now() - currentAt;
    return Math.max(0, ageMs);
  }

  private contents(): LastSnapshot {
    const { table } = this;
    return {
      ...table.contents(),
      epoch: this.epochs.highest,
      revision: table.ready ? table.revision : null,
      peerKey: this.options.keys.current,
      schedulers: this.schedulers.announced,
    };
  }
}

/** Takes what a worker can serve with from disk. */
export function restore(snapshot: LastSnapshot, table: ServiceTable, keys: PeerKeys): void {
  const { revision, peerKey } = snapshot;
  if (revision !== null) table.restore({ ...snapshot, revision });
  if (peerKey !== null) keys.set(peerKey);
}
