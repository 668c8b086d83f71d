/**
 * The package as a catalog of DC/OS sees it: its files, whether options are what its config.json allows, and the app that its
 * template makes of them, rendered as Cosmos does it. The words that `npm run package` replaces are replaced here too.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ValidateFunction } from 'ajv';
import AjvDraft04 from 'ajv-draft-04';
import mustache from 'mustache';

const DIRECTORY = join(import.meta.dirname, '..', '..', 'dcos-package', 'universe');

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
export type JsonObject = { readonly [key: string]: Json };

/** One option of config.json, as its schema describes it. */
export interface OptionSchema {
  readonly type: 'string' | 'boolean' | 'integer' | 'number' | 'array';
  readonly description: string;
  readonly default: Json;
  readonly enum?: readonly Json[];
  readonly pattern?: string;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly maxItems?: number;
  readonly items?: { readonly type: 'string'; readonly pattern: string; readonly maxLength?: number };
}

export interface ConfigSchema {
  readonly properties: Readonly<
    Record<string, { readonly description: string; readonly properties: Readonly<Record<string, OptionSchema>> }>
  >;
}

export const FILES = ['package.json', 'config.json', 'marathon.json.mustache', 'resource.json'] as const;

/** Where the archives are said to be. */
export const BASE_URL = 'http://downloads.example.com/nodemesh';

export interface Published {
  readonly baseUrl: string;
  readonly version: string;
}

const PUBLISHED: Published = { baseUrl: BASE_URL, version: '1.2.3' };

const sources = new Map<string, string>();

/** A file as it is published. */
export function packageFile(name: (typeof FILES)[number], { baseUrl, version }: Published = PUBLISHED): string {
  const source = sources.get(name) ?? readFileSync(join(DIRECTORY, name), 'utf8');
  sources.set(name, source);
  return source
    .replaceAll('@VERSION@', version)
    .replaceAll('@BASE_URL@', baseUrl)
    .replaceAll(/@SHA256:[^@]+@/g, 'f'.repeat(64));
}

export function configSchema(published?: Published): ConfigSchema {
  return JSON.parse(packageFile('config.json', published)) as ConfigSchema;
}

let validator: ValidateFunction | null = null;

/** What Cosmos says of an options file; empty where it takes it. */
export function optionFaults(options: unknown): string[] {
  validator ??= new AjvDraft04.default({ allErrors: true, strict: false }).compile(
    JSON.parse(packageFile('config.json')) as object,
  );
  const validate = validator;
  // Required groups and options have defaults: what is validated lies over them.
  const full = isObject(options) ? withDefaults(options) : options;
  if (validate(full)) return [];
  return (validate.errors ?? []).map(({ instancePath, message, params }) =>
    [instancePath || '/', message, JSON.stringify(params)].join(' '),
  );
}

/** The app that an options file makes, as text: what Cosmos sends to Marathon after parsing it. */
export function renderedText(options: JsonObject = {}, published?: Published): string {
  const context = {
    ...withDefaults(options, published),
    resource: JSON.parse(packageFile('resource.json', published)),
  };
  return mustache.render(packageFile('marathon.json.mustache', published), context);
}

/** @throws SyntaxError where that is no JSON. */
export function renderedApp(options: JsonObject = {}, published?: Published): JsonObject {
  return JSON.parse(renderedText(options, published)) as JsonObject;
}

function withDefaults(options: JsonObject, published?: Published): JsonObject {
  const groups = Object.entries(configSchema(published).properties).map(([group, { properties }]) => {
    const defaults = Object.entries(properties).map(([name, option]) => [name, option.default] as const);
    const given = options[group];
    return [group, isObject(given) || given === undefined ? { ...Object.fromEntries(defaults), ...given } : given];
  });
  return { ...options, ...Object.fromEntries(groups) };
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
