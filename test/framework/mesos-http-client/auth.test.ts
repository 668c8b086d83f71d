/** The login of a DC/OS service account, Basic, and what becomes of a 401. The clock is virtual, the keys are real. */
import { generateKeyPairSync, verify } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  basicAuthorization,
  NO_AUTHORIZATION,
  UnauthorizedError,
  withAuthorization,
} from '../../../framework/mesos-http-client/auth/authorization.ts';
import { CredentialError, parseServiceAccount } from '../../../framework/mesos-http-client/auth/credential.ts';
import {
  DcosLogin,
  type LoginAnswer,
  type LoginRequest,
} from '../../../framework/mesos-http-client/auth/dcos-login.ts';
import { signToken, tokenExpiry } from '../../../framework/mesos-http-client/auth/json-web-token.ts';

const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
const START = 1_700_000_000_000;

const valid = {
  login_endpoint: 'https://iam.example:8443/acs/api/v1/auth/login',
  private_key: pem,
  scheme: 'RS256',
  uid: 'mesh',
};

function credential(overrides: object = {}): string {
  return JSON.stringify({ ...valid, ...overrides });
}

/** A login whose answers the test gives, and a clock that it moves. */
function scenario(answer: (count: number) => LoginAnswer | Promise<LoginAnswer>) {
  const requests: LoginRequest[] = [];
  const clock = { now: START };
  const login = new DcosLogin({
    account: parseServiceAccount(credential()),
    now: () => clock.now,
    send: async (request) => {
      requests.push(request);
      return await answer(requests.length);
    },
  });
  return { login, requests, clock };
}

const token = (text: string) => ({ status: 200, body: JSON.stringify({ token: text }) });

/** A token as the identity service makes it. */
function expiring(seconds: number, id: number): string {
  return signToken({ uid: 'mesh', exp: START / 1000 + seconds, id }, privateKey);
}

describe('a credential', () => {
  it.each([
    ['text that is not JSON', 'nonsense', /not JSON/],
    ['a list', '[]', /not an object/],
    ['no uid', credential({ uid: undefined }), /uid is missing/],
    ['a scheme other than RS256', credential({ scheme: 'HS256' }), /scheme 'HS256' is not supported/],
    ['an endpoint that is no URL', credential({ login_endpoint: 'leader' }), /login_endpoint 'leader'/],
    [
      'an endpoint of another protocol',
      credential({ login_endpoint: 'file:///etc/passwd' }),
      /not an http or https URL/,
    ],
    ['a key that is none', credential({ private_key: 'secret' }), /private_key is not a private key/],
  ])('with %s is refused when it is read', (_what, text, message) => {
    expect(() => parseServiceAccount(text)).toThrow(CredentialError);
    expect(() => parseServiceAccount(text)).toThrow(message);
  });

  it('is never quoted in an error', () => {
    expect(() => parseServiceAccount('topsecret')).toThrow(/^(?!.*topsecret)/);
    expect(() => parseServiceAccount(credential({ private_key: 'topsecret' }))).toThrow(/^(?!.*topsecret)/);
  });

  it('with a key that is not RSA is refused', () => {
    const { privateKey: curve } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const text = credential({ private_key: curve.export({ type: 'pkcs8', format: 'pem' }).toString() });
    expect(() => parseServiceAccount(text)).toThrow(/RS256 needs an RSA key/);
  });
});

describe('a login', () => {
  it('goes to the endpoint of the credential with a statement that is signed and ends', async () => {
    const { login, requests } = scenario(() => token('abc'));
    expect(await login.header()).toBe('token=abc');
    const request = requests[0];
    expect(request?.url.href).toBe(valid.login_endpoint);
    const body = JSON.parse(request?.body ?? '') as { uid: string; token: string };
    expect(body.uid).toBe('mesh');
    const [head = '', claims = '', signature = ''] = body.token.split('.');
    expect(verify('sha256', Buffer.from(`${head}.${claims}`), publicKey, Buffer.from(signature, 'base64url'))).toBe(
      true,
    );
    expect(JSON.parse(Buffer.from(head, 'base64url').toString())).toEqual({ alg: 'RS256', typ: 'JWT' });
    const { uid, exp } = JSON.parse(Buffer.from(claims, 'base64url').toString()) as { uid: string; exp: number };
    expect(uid).toBe('mesh');
    expect(exp - START / 1000).toBeGreaterThan(0);
    expect(exp - START / 1000).toBeLessThanOrEqual(300);
  });

  it('is made once, before the first request only', async () => {
    const { login, requests } = scenario(() => token('abc'));
    await login.header();
    await login.header();
    expect(requests).toHaveLength(1);
  });

  it('is shared by a hundred requests at once', async () => {
    const { login, requests } = scenario(() => token('abc'));
    const headers = await Promise.all(Array.from({ length: 100 }, () => login.header()));
    expect(new Set(headers)).toEqual(new Set(['token=abc']));
    expect(requests).toHaveLength(1);
  });

  it('is made anew before the token ends, while requests go on with the old one', async () => {
    const { login, requests, clock } = scenario((count) => token(expiring(1000 * count, count)));
    const first = await login.header();
    clock.now = START + 899_000;
    expect(await login.header()).toBe(first);
    expect(requests).toHaveLength(1);
    clock.now = START + 901_000;
    expect(await login.header()).toBe(first);
    expect(requests).toHaveLength(2);
    await Promise.resolve();
    await new Promise(setImmediate);
    expect(await login.header()).not.toBe(first);
    expect(requests).toHaveLength(2);
  });

  it('is waited for when the token has ended', async () => {
    const { login, clock } = scenario((count) => token(expiring(1000 * count, count)));
    const first = await login.header();
    clock.now = START + 1_000_000;
    expect(await login.header()).not.toBe(first);
  });

  it('gives a token that is used, even where its end seems to be over', async () => {
    const { login, requests } = scenario((count) => token(expiring(-86_400, count)));
    await login.header();
    await login.header();
    expect(requests).toHaveLength(1);
  });

  it.each([
    ['right', 0],
    ['an hour ahead', 3_600],
    ['an hour behind', -3_600],
  ])(
    'is made anew before the token ends also where this clock is %s, by the time of the answer',
    async (_what, ahead) => {
      const there = START - ahead * 1000;
      const { login, requests, clock } = scenario((count) => ({
        ...token(signToken({ uid: 'mesh', exp: there / 1000 + 2 + count, id: count }, privateKey)),
        date: new Date(there).toUTCString(),
      }));
      const first = await login.header();
      clock.now = START + 1_700;
      expect(await login.header()).toBe(first);
      expect(requests).toHaveLength(1);
      clock.now = START + 1_900;
      expect(await login.header()).toBe(first);
      expect(requests).toHaveLength(2);
      await new Promise(setImmediate);
      expect(await login.header()).not.toBe(first);
    },
  );

  it.each([
    [300, /clock of this machine, which is 300 s behind the server's$/],
    [-300, /clock of this machine, which is 300 s ahead of the server's$/],
    [20, /clock of this machine$/],
  ])('that is refused where the server is %i s ahead says so', async (ahead, message) => {
    const { login } = scenario(() => ({ status: 401, body: '', date: new Date(START + ahead * 1000).toUTCString() }));
    await expect(login.header()).rejects.toThrow(message);
  });

  it.each([
    ['401', { status: 401, body: '' }, /answered 401; check the account/],
    ['500', { status: 500, body: '' }, /answered 500 instead of 200/],
    ['no JSON', { status: 200, body: '<html>' }, /not JSON/],
    ['no token', { status: 200, body: '{}' }, /without a token/],
    ['a token with a line end', token('a\r\nb'), /without a token/],
  ])('that is answered with %s fails', async (_what, answer, message) => {
    const { login } = scenario(() => answer);
    await expect(login.header()).rejects.toThrow(message);
  });

  it('that failed is tried again, but not by everybody at once', async () => {
    const { login, requests, clock } = scenario((count) => (count === 1 ? { status: 500, body: '' } : token('abc')));
    await expect(login.header()).rejects.toThrow(/500/);
    await expect(login.header()).rejects.toThrow(/500/);
    expect(requests).toHaveLength(1);
    clock.now += 1_000;
    expect(await login.header()).toBe('token=abc');
  });
});

describe('a request with authorization', () => {
  const answering =
    (...statuses: number[]) =>
    (sent: (string | null)[]) =>
    (header: string | null) =>
      Promise.resolve({ status: statuses[sent.push(header) - 1] ?? 200 });

  it('that is answered 401 is sent once more, after a new login', async () => {
    const { login, requests } = scenario((count) => token(`t${count}`));
    const sent: (string | null)[] = [];
    expect(await withAuthorization(login, 'GET /', answering(200)(sent))).toEqual({ status: 200 });
    expect(await withAuthorization(login, 'GET /', answering(200, 401, 200)(sent))).toEqual({ status: 200 });
    expect(sent).toEqual(['token=t1', 'token=t1', 'token=t2']);
    expect(requests).toHaveLength(2);
  });

  it('that is answered 401 twice fails', async () => {
    const { login } = scenario((count) => token(`t${count}`));
    const sent: (string | null)[] = [];
    await expect(withAuthorization(login, 'GET /', answering(401, 401)(sent))).rejects.toThrow(UnauthorizedError);
    expect(sent).toEqual(['token=t1', 'token=t2']);
  });

  it('logs in once when many find their token refused', async () => {
    const { login, requests } = scenario((count) => token(`t${count}`));
    const attempt = (header: string | null) => Promise.resolve({ status: header === 'token=t1' ? 401 : 200 });
    await Promise.all(Array.from({ length: 50 }, () => withAuthorization(login, 'GET /', attempt)));
    expect(requests).toHaveLength(2);
  });

  it('takes the token that another request has brought meanwhile', async () => {
    const { login, requests } = scenario((count) => token(`t${count}`));
    const late = await login.header();
    await login.renewed(late);
    expect(await login.renewed(late)).toBe('token=t2');
    expect(requests).toHaveLength(2);
  });

  it('passes on every other status as it is', async () => {
    const { login, requests } = scenario((count) => token(`t${count}`));
    expect(await withAuthorization(login, 'GET /', answering(400)([]))).toEqual({ status: 400 });
    expect(requests).toHaveLength(1);
  });

  it('carries Basic as it was configured, and is not sent again with it', async () => {
    const sent: (string | null)[] = [];
    await expect(
      withAuthorization(basicAuthorization('dXNlcjpwYXNz\n'), 'GET /', answering(401)(sent)),
    ).rejects.toThrow(/does not take the configured credential/);
    expect(sent).toEqual(['Basic dXNlcjpwYXNz']);
  });

  it('without a credential says that one is asked for', async () => {
    await expect(withAuthorization(NO_AUTHORIZATION, 'GET /', answering(401)([]))).rejects.toThrow(
      /none is configured/,
    );
  });
});

it('the end of a token is read where it says so', () => {
  expect(tokenExpiry(signToken({ exp: 5 }, privateKey))).toBe(5000);
  expect(tokenExpiry(signToken({ uid: 'mesh' }, privateKey))).toBeNull();
  expect(tokenExpiry('opaque')).toBeNull();
  expect(tokenExpiry('a.b.c')).toBeNull();
});
