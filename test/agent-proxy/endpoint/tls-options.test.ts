/** A client's `tls` block against real TLS servers, with certificates made for the test. */
import { copyFileSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { connect, createServer, type Server, type TlsOptions as ServerOptions } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ClientTls, type TlsFiles } from '../../../agent-proxy/endpoint/tls-options.ts';
import { eventually } from '../../fixtures/eventually.ts';
import { Certificates } from './certificates.ts';

const certificates = new Certificates();
const file = (name: string) => certificates.file(name);

beforeAll(() => {
  certificates.make('ca', 'an authority');
  certificates.make('other', 'another authority');
  certificates.make('server', 'web.test', 'ca');
  certificates.make('client', 'proxy.test', 'ca');
});
afterAll(() => certificates.remove());

/** How a connection to a server of web.test goes: what the server was asked for, or the error. */
async function handshake(tls: ClientTls, commonName: string | null, server: ServerOptions = {}): Promise<string> {
  const answer = tls.options(commonName, 0);
  if (answer.kind === 'failed') return answer.reason;
  const listening: Server = createServer({
    cert: readFileSync(file('server.pem')),
    key: readFileSync(file('server.key')),
    ...server,
  });
  const asked = new Promise<string>((resolve) => {
    listening.on('secureConnection', (socket) => {
      const who = socket.getPeerCertificate().subject?.CN;
      resolve(`${String(socket.servername)}${who === undefined ? '' : ` from ${who}`} ${socket.getProtocol()}`);
      socket.end();
    });
  });
  await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve));
  const { port } = listening.address() as AddressInfo;
  const failed = new Promise<string>((resolve) => {
    const socket = connect({ host: '127.0.0.1', port, ...answer.options });
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    socket.resume();
    listening.on('close', () => socket.destroy());
  });
  listening.on('tlsClientError', () => undefined);
  // With TLS 1.3 the client may be done before the server has refused it.
  const outcome = await Promise.race([asked, failed]);
  listening.close();
  return outcome;
}

const NOTHING: TlsFiles = { disableValidation: false, trustFiles: null, clientAuth: null, protocols: null };

function tlsOf(given: Partial<TlsFiles>, warnings: string[] = []): ClientTls {
  return new ClientTls({ ...NOTHING, ...given }, 0, (message) => warnings.push(message));
}

describe('a client', () => {
  it('asks for the common name and takes a certificate for it', async () => {
    expect(await handshake(tlsOf({ trustFiles: [file('ca.pem')] }), 'web.test')).toBe('web.test TLSv1.3');
    expect(await handshake(tlsOf({ trustFiles: [file('other.pem'), file('ca.pem')] }), 'web.test')).toBe(
      'web.test TLSv1.3',
    );
  });

  it('refuses a certificate for another name', async () => {
    expect(await handshake(tlsOf({ trustFiles: [file('ca.pem')] }), 'api.test')).toBe('ERR_TLS_CERT_ALTNAME_INVALID');
    expect(await handshake(tlsOf({ trustFiles: [file('ca.pem')] }), '127.0.0.1')).toBe('ERR_TLS_CERT_ALTNAME_INVALID');
  });

  it('refuses a certificate of an authority that it does not trust', async () => {
    expect(await handshake(tlsOf({ trustFiles: [file('other.pem')] }), 'web.test')).toMatch(/UNABLE_TO/);
    expect(await handshake(tlsOf({}), 'web.test')).toMatch(/UNABLE_TO/);
  });

  it('takes anything without validation', async () => {
    expect(await handshake(tlsOf({ disableValidation: true }), null)).toBe('false TLSv1.3');
    expect(await handshake(tlsOf({ disableValidation: true }), 'whatever.test')).toBe('whatever.test TLSv1.3');
  });

  it('needs a common name to validate', async () => {
    expect(await handshake(tlsOf({ trustFiles: [file('ca.pem')] }), null)).toMatch(/commonName is needed/);
  });

  it('shows its own certificate', async () => {
    const clientAuth = { certPath: file('client.pem'), keyPath: file('client.key'), intermediateCertsPath: null };
    const server = { requestCert: true, rejectUnauthorized: true, ca: readFileSync(file('ca.pem')) };
    const tls = tlsOf({ trustFiles: [file('ca.pem')], clientAuth });
    expect(await handshake(tls, 'web.test', server)).toBe('web.test from proxy.test TLSv1.3');
    const chain = tlsOf({
      trustFiles: [file('ca.pem')],
      clientAuth: { ...clientAuth, intermediateCertsPath: file('other.pem') },
    });
    expect(await handshake(chain, 'web.test', server)).toBe('web.test from proxy.test TLSv1.3');
  });

  it('keeps to its protocols', async () => {
    const only = tlsOf({ trustFiles: [file('ca.pem')], protocols: ['TLSv1.2'] });
    expect(await handshake(only, 'web.test')).toBe('web.test TLSv1.2');
    const unknown = tlsOf({ protocols: ['SSLv3'] }).options('web.test', 0);
    expect(unknown).toEqual({ kind: 'failed', reason: expect.stringMatching(/'SSLv3' is none of/) });
  });
});

describe('files', () => {
  it('that are missing are named, and looked for again', async () => {
    const late = file('late.pem');
    const tls = tlsOf({ trustFiles: [late] });
    const first = tls.options('web.test', 0);
    expect(first).toEqual({ kind: 'failed', reason: expect.stringContaining(`${late} cannot be read`) });
    copyFileSync(file('ca.pem'), late);
    for (let count = 0; count < 20; count += 1) {
      expect(tls.options('web.test', 999).kind).toBe('failed');
      await stat(late);
    }
    let now = 1_000;
    await eventually('the file is found', () => {
      now += 1_000;
      return tls.options('web.test', now).kind === 'ok';
    });
    expect(await handshake(tls, 'web.test')).toBe('web.test TLSv1.3');
  });

  it('that change are read again', async () => {
    const bundle = file('bundle.pem');
    copyFileSync(file('other.pem'), bundle);
    const tls = tlsOf({ trustFiles: [bundle] });
    expect(await handshake(tls, 'web.test')).toMatch(/UNABLE_TO/);
    copyFileSync(file('ca.pem'), file('bundle.new'));
    renameSync(file('bundle.new'), bundle);
    let now = 0;
    await eventually('the new authority is trusted', async () => {
      now += 1_000;
      tls.options('web.test', now);
      return (await handshake(tls, 'web.test')) === 'web.test TLSv1.3';
    });
  });

  it('that cannot be used any more are said once, and those before are used', async () => {
    const bundle = file('broken.pem');
    copyFileSync(file('ca.pem'), bundle);
    const warnings: string[] = [];
    const tls = tlsOf({ trustFiles: [bundle] }, warnings);
    writeFileSync(bundle, 'nothing');
    let now = 0;
    await eventually('the change is noticed', () => {
      now += 1_000;
      tls.options('web.test', now);
      return warnings.length > 0;
    });
    for (let count = 0; count < 5; count += 1) {
      now += 1_000;
      tls.options('web.test', now);
      await new Promise(setImmediate);
    }
    expect(warnings).toEqual([expect.stringMatching(/broken\.pem holds no certificate.*what was read before is used/)]);
    expect(await handshake(tls, 'web.test')).toBe('web.test TLSv1.3');
  });

  it('of a key that does not fit its certificate are refused', () => {
    const clientAuth = { certPath: file('client.pem'), keyPath: file('server.key'), intermediateCertsPath: null };
    expect(tlsOf({ clientAuth }).options('web.test', 0)).toEqual({
      kind: 'failed',
      reason: expect.stringMatching(/^tls: .*key values mismatch/),
    });
  });
});
