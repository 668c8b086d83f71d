/** From options to how the masters are found and spoken to: their addresses, the login, and whom to trust. */
import { type FrameworkOptions, fixedMaster } from '../framework/index.ts';
import { NO_AUTHORIZATION } from '../framework/mesos-http-client/auth/authorization.ts';
import {
  type Authorization,
  principalAuthorization,
  serviceAccountAuthorization,
} from '../framework/mesos-http-client/index.ts';
import type { SchedulerConfig } from './config.ts';

export type MasterAccess = Pick<FrameworkOptions, 'masters' | 'authorization' | 'tls' | 'mayCall'>;

/** `masters` is the caller's, to be closed. @throws {Error} one sentence, where a way to find the masters is not there. */
export function openMasters({ master, credential, mesosCa }: SchedulerConfig): MasterAccess {
  if (master.kind === 'zookeeper') {
    throw new Error('--master zk://… is not there yet: name the masters, as in --master http://10.0.0.1:5050');
  }
  const tls = mesosCa === null ? undefined : { ca: mesosCa };
  return { masters: fixedMaster(master.urls.join(',')), authorization: authorizationOf(credential, tls), tls };
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
