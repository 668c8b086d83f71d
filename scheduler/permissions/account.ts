/** From the scheduler's options to the account that the cluster's IAM knows. */
import type { SchedulerConfig } from '../config.ts';
import type { Account } from './grants.ts';

/** Null where there is no service account of DC/OS. */
export function accountOf(config: SchedulerConfig): Account | null {
  const { credential, role, publicRole, user, mesosDiscovery, marathons } = config;
  if (credential.kind !== 'service-account') return null;
  const { uid } = credential.account;
  return { uid, role, publicRole, user, mesosDiscovery, marathons: marathons.map(({ url }) => url) };
}
