/** Puts the configuration of the proxies into the options file, as the package has it: in base64. */
import type { Migration } from './draft.ts';

export function withConfig(migration: Migration): Migration {
  const { config, options } = migration;
  if (config === null) return migration;
  const mesh = { ...options['mesh'], config: Buffer.from(config).toString('base64') };
  return { ...migration, options: { ...options, mesh } };
}
