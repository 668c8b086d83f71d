/**
 * `--check` and `--check-mesh`, internal: read and check a configuration, and tell the process that started this one. The
 * first reads a file of linkerd's, the second a {@link WantedConfig}, for a proxy under a scheduler.
 */
import { readFileSync } from 'node:fs';
import { ConfigError, loadConfig, type ProxyConfig } from './load.ts';
import { checkMeshDocument } from './mesh-document.ts';
import type { MeshListen } from './spec.ts';

/** Plain JSON. */
export type CheckedConfig =
  | { readonly kind: 'ok'; readonly config: ProxyConfig; readonly warnings: readonly string[] }
  /** Each line says where and what. */
  | { readonly kind: 'bad'; readonly lines: readonly string[] };

/** Throws only where something is wrong with the program. */
export function checkFile(file: string): CheckedConfig {
  try {
    return { kind: 'ok', ...loadConfig(file) };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return { kind: 'bad', lines: error.message.split('\n') };
  }
}

/** As JSON in a file. */
export interface WantedConfig {
  readonly document: unknown;
  readonly listen: MeshListen;
}

export function checkMeshFile(file: string): CheckedConfig {
  // Written by the supervisor, which is this same program.
  const { document, listen }: WantedConfig = JSON.parse(readFileSync(file, 'utf8'));
  const checked = checkMeshDocument(document, listen);
  return checked.kind === 'ok' ? checked : { kind: 'bad', lines: checked.faults };
}

/** Resolves when the parent has it. */
export function tellParent(checked: CheckedConfig): Promise<void> {
  return new Promise((resolve, reject) => {
    if (process.send === undefined) {
      reject(new Error('--check is internal: it is run by the supervisor; --validate is for people'));
      return;
    }
    process.send(checked, undefined, undefined, (error) => {
      if (error !== null) {
        reject(error);
        return;
      }
      // The channel would keep this process alive.
      process.disconnect();
      resolve();
    });
  });
}
