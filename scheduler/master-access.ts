/** From options to how the masters are found and spoken to: their addresses, the login, and whom to trust. */
import { Agent, type Dispatcher, request } from 'undici';
import { type FrameworkOptions, fixedMaster } from '../framework/index.ts';
import { NO_AUTHORIZATION } from '../framework/mesos-http-client/auth/authorization.ts';
import { DcosLogin, type SendLogin } from '../framework/mesos-http-client/auth/dcos-login.ts';
import { type Authorization, principalAuthorization } from '../framework/mesos-http-client/index.ts';
import type { SchedulerConfig } from './config.ts';

const LOGIN_MS = 10_000;
/** A token is a few hundred bytes. */
const MAX_LOGIN_BYTES = 64 * 1024;

type MasterAccess = Pick<FrameworkOptions, 'masters' | 'authorization' | 'tls'>;

/** @throws {Error} one sentence, where a way to find the masters is not there. */
export function masterAccess({ master, credential, mesosCa }: SchedulerConfig): MasterAccess {
  if (master.kind === 'zookeeper') {
    throw new Error('--master zk://… is not there yet: name the masters, as in --master http://10.0.0.1:5050');
  }
  const tls = mesosCa === null ? undefined : { ca: mesosCa };
  return {
    masters: fixedMaster(master.urls.join(',')),
    authorization: authorizationOf(credential, tls),
    tls,
  };
}

function authorizationOf(credential: SchedulerConfig['credential'], tls: MasterAccess['tls']): Authorization {
  switch (credential.kind) {
    case 'none':
      return NO_AUTHORIZATION;
    case 'basic':
      return principalAuthorization(credential.principal, credential.secret);
    case 'service-account':
      return new DcosLogin({ account: credential.account, send: loginBy(tls), now: () => Date.now() });
  }
}

/** A login needs a connection now and then, which is not kept. */
function loginBy(tls: MasterAccess['tls']): SendLogin {
  const timeouts = { headersTimeout: LOGIN_MS, bodyTimeout: LOGIN_MS };
  return async ({ url, headers, body }) => {
    const agent = new Agent({
      connect: { timeout: LOGIN_MS, ...(tls === undefined ? {} : { ca: tls.ca }) },
      pipelining: 0,
    });
    try {
      const response = await request(url, {
        method: 'POST',
        headers: { ...headers },
        body,
        dispatcher: agent,
        ...timeouts,
      });
      return { status: response.statusCode, body: await shortText(response.body) };
    } finally {
      await agent.destroy();
    }
  };
}

async function shortText(body: Dispatcher.ResponseData['body']): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_LOGIN_BYTES) throw new Error(`an answer to a login is above ${MAX_LOGIN_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
