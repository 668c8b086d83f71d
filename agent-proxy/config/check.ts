/** `--check`, internal: reads and checks a configuration file, and tells the process that started this one. */
import { ConfigError, loadConfig, type ProxyConfig } from './load.ts';

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
