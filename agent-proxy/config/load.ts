/**
 * Reads a configuration file: JSON if its first character says so, YAML otherwise, `-` for standard input. Every
 * problem is reported with its place, in one line.
 */
import { readFileSync } from 'node:fs';
import { parse as parseYaml, YAMLParseError } from 'yaml';
import { configSchema, type ProxyConfig } from './schema.ts';

/** A problem with a configuration; a usage error for the command line. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly exitCode = 2;
}

export function loadConfig(file: string): ProxyConfig {
  const where = file === '-' ? 'standard input' : file;
  return parseConfig(read(file, where), where);
}

/** `where` names the text in messages. */
export function parseConfig(text: string, where: string): ProxyConfig {
  const result = configSchema.safeParse(parseDocument(text, where));
  if (result.success) return result.data;
  const problems = result.error.issues.map((issue) => {
    const path = issue.path.map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`)).join('');
    return `${path === '' ? 'document' : path.replace(/^\./, '')}: ${issue.message}`;
  });
  throw new ConfigError(`${where}: ${problems.join('; ')}`);
}

function read(file: string, where: string): string {
  try {
    return readFileSync(file === '-' ? 0 : file, 'utf8');
  } catch (error) {
    throw new ConfigError(`cannot read ${where}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function parseDocument(text: string, where: string): unknown {
  try {
    // The YAML reader refuses duplicate keys by itself; JSON is read as YAML too, so that it does there as well.
    return parseYaml(text);
  } catch (error) {
    const sentence = error instanceof YAMLParseError ? (error.message.split('\n')[0] ?? '') : String(error);
    throw new ConfigError(`${where} is neither YAML nor JSON: ${sentence.replace(/:$/, '')}`);
  }
}
