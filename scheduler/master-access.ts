/** From options to how the masters are found and spoken to: their addresses, the login, and whom to trust. */
import { type FrameworkLogger, type FrameworkOptions, fixedMaster, zooKeeperMasters } from '../framework/index.ts';
import { NO_AUTHORIZATION } from '../framework/mesos-http-client/auth/authorization.ts';
import {
  type Authorization,
  principalAuthorization,
  serviceAccountAuthorization,
} from '../framework/mesos-http-client/index.ts';
import type { SchedulerConfig } from './config.ts';

export type MasterAccess = Pick<FrameworkOptions, 'masters' | 'authorization' | 'tls' | 'mayCall'>;

/** `masters` is the caller's, to be closed. */
export function openMasters({ master, credential, mesosCa }: SchedulerConfig, logger: FrameworkLogger): MasterAccess {
  const tls = mesosCa === null ? undefined : { ca: mesosCa };
  const masters =
    master.kind === 'urls'
      ? fixedMaster(master.urls.join(','))
      : // What a master writes into ZooKeeper does not say whether it wants TLS; who names its CA does.
        zooKeeperMasters(master.ensemble, { logger, scheme: mesosCa === null ? 'http' : 'https' });
  return { masters, authorization: authorizationOf(credential, tls), tls };
}

function authorizationOf(credential: SchedulerConfig['credential'], tls: MasterAccess['tls']): Authorization {
  switch (credential.kind) {
    case 'none':
      return NO_AUTHORIZATION;
    case 'basic':
      return principalAuthorization(credential.principal, credential.secret);
    case 'service-account':
      return serviceAccountAuthorization(credential.account, tls);
  }
}
