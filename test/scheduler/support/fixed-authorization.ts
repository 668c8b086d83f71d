/** A login whose token never ends. */
import type { Authorization } from '../../../framework/mesos-http-client/auth/authorization.ts';

export function fixedAuthorization(header: string): Authorization {
  return { principal: null, header: () => Promise.resolve(header), renewed: () => Promise.resolve(null) };
}
