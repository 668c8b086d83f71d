/** Sessions for the tests of this folder: short ones, which are closed when the test ends. */
import { onTestFinished } from 'vitest';
import { parseConnectString } from '../../../framework/zookeeper/connect-string.ts';
import { openSession, type Session } from '../../../framework/zookeeper/session.ts';
import type { SessionOptions } from '../../../framework/zookeeper/session-link.ts';

export async function openTestSession(address: string, options: Partial<SessionOptions> = {}): Promise<Session> {
  const { servers, auth } = parseConnectString(`zk://${address}`);
  const session = await openSession({
    servers,
    auth,
    timeoutMs: 2000,
    openMs: 10_000,
    operationMs: 10_000,
    note: () => undefined,
    now: () => performance.now(),
    random: Math.random,
    ...options,
  });
  onTestFinished(() => session.close());
  return session;
}
