/** The `tls` block of a client, with what its layer's prefix captured filled in. */
import type { Captures } from '../routing/path-matcher.ts';
import type { ClientTlsParams } from './layered.ts';
import type { ClientTlsConfig } from './schema/client-tls.ts';

const NO_CAPTURES: Captures = new Map();

/** Null where the block takes encryption back (`enabled: false`). */
export function clientTlsParams(config: ClientTlsConfig, captures: Captures = NO_CAPTURES): ClientTlsParams | null {
  if (!config.enabled) return null;
  const { commonName, trustCertsBundle, clientAuth } = config;
  return {
    disableValidation: config.disableValidation,
    commonName: commonName?.replace(/\{([^}]*)\}/g, (_all, name: string) => captures.get(name) ?? '') ?? null,
    trustFiles: config.trustCerts ?? (trustCertsBundle === undefined ? null : [trustCertsBundle]),
    clientAuth:
      clientAuth === undefined
        ? null
        : {
            certPath: clientAuth.certPath,
            intermediateCertsPath: clientAuth.intermediateCertsPath ?? null,
            keyPath: clientAuth.keyPath,
          },
    protocols: config.protocols ?? null,
  };
}
