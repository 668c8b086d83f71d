/** `tls:` of a client or a namer – connections that are encrypted. Files are read when a connection is made. */
import { z } from 'zod';
import { fallsBack, needed, optional } from './keys.ts';
import { file, flag, text } from './scalars.ts';

const clientAuth = z.strictObject({
  certPath: needed(file, 'Our certificate.'),
  intermediateCertsPath: optional(file, 'Certificates between ours and its root.'),
  keyPath: needed(file, 'Our key (PKCS8 PEM).'),
});

export const clientTls = z
  .strictObject({
    enabled: fallsBack(flag, true, 'False takes back what an earlier entry said.'),
    disableValidation: fallsBack(flag, false, 'Believe any certificate.'),
    commonName: optional(
      text,
      'The name that the server has to show, also sent as SNI; may have `{captures}` of the prefix.',
    ),
    trustCerts: optional(
      z.array(file),
      "CA certificates; the system's where neither this nor `trustCertsBundle` is there.",
    ),
    trustCertsBundle: optional(file, 'One file with all CA certificates.'),
    clientAuth: optional(clientAuth, 'What we show to a server that asks who we are.'),
    protocols: optional(z.array(z.enum(['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'])), 'Versions that may be spoken.'),
  })
  .superRefine((tls, context) => {
    const fault = (path: string, message: string) => context.addIssue({ code: 'custom', path: [path], message });
    if (!tls.enabled) return;
    if (tls.commonName === undefined && !tls.disableValidation) {
      fault('commonName', 'is needed, or nothing tells whose certificate is expected (or set disableValidation)');
    }
    if (tls.disableValidation && tls.clientAuth !== undefined) {
      fault('clientAuth', 'is not possible together with disableValidation: our certificate would go to anybody');
    }
    if (tls.trustCerts !== undefined && tls.trustCertsBundle !== undefined) {
      fault('trustCerts', 'is not possible together with trustCertsBundle; write one of the two');
    }
  });

export type ClientTlsConfig = z.output<typeof clientTls>;
