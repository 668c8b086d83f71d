/** From options to how each Marathon is found and spoken to: its address, the login, and whom to trust. */
import {
  type Authorization,
  basicAuthorization,
  NO_AUTHORIZATION,
} from '../framework/mesos-http-client/auth/authorization.ts';
import { serviceAccountAuthorization } from '../framework/mesos-http-client/index.ts';
import type { MarathonConfig } from './config/marathons.ts';
import type { SchedulerConfig } from './config.ts';
import type { MarathonSource } from './discovery/marathons.ts';
import type { MasterAccess } from './master-access.ts';
import type { Refusals } from './permissions/refusals.ts';

export function marathonSources(
  {
    marathons,
    credential,
    marathonCredential,
  }: Pick<SchedulerConfig, 'marathons' | 'credential' | 'marathonCredential'>,
  access: Pick<MasterAccess, 'authorization' | 'tls'>,
  refusals: Pick<Refusals, 'marathon'>,
): readonly [MarathonSource, ...MarathonSource[]] {
  const loginOfAll = (): Authorization | undefined => {
    if (marathonCredential !== null) return basicAuthorization(marathonCredential);
    // A service account is one of the whole cluster; a principal with its secret is of Mesos alone.
    return credential.kind === 'service-account' ? access.authorization : undefined;
  };
  const sourceOf = ({ prefix, url, login, ca }: MarathonConfig): MarathonSource => {
    const tls = ca === null ? access.tls : { ca };
    const authorization = login === null ? loginOfAll() : authorizationOf(login, tls);
    const answered = (path: string, status: number): void => refusals.marathon(url, path, status);
    return { prefix, url, access: { authorization, tls, answered } };
  };
  const [first, ...others] = marathons;
  return [sourceOf(first), ...others.map(sourceOf)];
}

function authorizationOf(login: NonNullable<MarathonConfig['login']>, tls: MasterAccess['tls']): Authorization {
  switch (login.kind) {
    case 'none':
      return NO_AUTHORIZATION;
    case 'basic':
      return basicAuthorization(login.credential);
    case 'service-account':
      return serviceAccountAuthorization(login.account, tls);
  }
}
