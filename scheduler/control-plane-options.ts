/** What a control plane is made of: the configuration, the state, and who it is. */
import type { Framework, FrameworkOptions } from '../framework/index.ts';
import type { SchedulerConfig } from './config.ts';
import type { Erasure } from './erasure.ts';
import type { Identity } from './identity.ts';
import type { MasterAccess } from './master-access.ts';
import type { Refusals } from './permissions/refusals.ts';
import type { ProxyGoals } from './proxy/goals.ts';

export type ControlPlaneLogger = FrameworkOptions['logger'];

export interface ControlPlaneOptions {
  readonly config: SchedulerConfig;
  readonly version: string;
  /** Base URL of this scheduler. */
  readonly advertise: string;
  readonly hostname: string;
  readonly store: FrameworkOptions['store'];
  readonly access: MasterAccess;
  readonly identity: Identity;
  /** What proxies are to be. */
  readonly goals: ProxyGoals;
  readonly logger: ControlPlaneLogger;
  /** What the cluster does not let us do. */
  readonly refusals: Refusals;
  createFramework(options: FrameworkOptions): Framework;
  /** What is left to do when nothing is left at Mesos. */
  readonly erasure: Pick<Erasure, 'begin' | 'shown'>;
  /** Called once: this process cannot go on. */
  fatal(error: Error): void;
}
