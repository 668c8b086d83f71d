/** The four files of the package: what the Universe asks of them, and what we ask of every option. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import AjvDraft04 from 'ajv-draft-04';
import { describe, expect, it } from 'vitest';
import { configSchema, FILES, isObject, optionFaults, packageFile } from './catalog.ts';

describe.each(FILES)('%s', (name) => {
  const text = packageFile(name);

  it('is ASCII, without escapes of Unicode', () => {
    expect([...text].filter((character) => character > '~' || (character < ' ' && character !== '\n'))).toEqual([]);
    expect(text).not.toMatch(/\\u[0-9a-f]{4}/i);
  });

  it('has no word that is still to be replaced', () => {
    expect(text).not.toMatch(/@[A-Z0-9_]+[@:]/);
  });
});

describe('package.json', () => {
  const about = JSON.parse(packageFile('package.json')) as Record<string, unknown>;

  it('says what a service of its own is, and what it may come from', () => {
    expect(about).toMatchObject({ packagingVersion: '4.0', name: 'nodemesh', version: '1.2.3', framework: true });
    expect([about['upgradesFrom'], about['downgradesTo']]).toEqual([['*'], ['*']]);
  });

  it('has fields of format 4.0 alone', () => {
    const known = [
      ...['packagingVersion', 'name', 'version', 'minDcosReleaseVersion', 'maintainer', 'description', 'framework'],
      ...['selected', 'tags', 'upgradesFrom', 'downgradesTo', 'preInstallNotes', 'postInstallNotes', 'licenses'],
      ...['postUninstallNotes', 'scm', 'website', 'hasKnownIssues', 'lastUpdated'],
    ];
    expect(Object.keys(about).filter((key) => !known.includes(key))).toEqual([]);
  });
});

describe('config.json', () => {
  const groups = Object.entries(configSchema().properties);
  const options = groups.flatMap(([group, { properties }]) =>
    Object.entries(properties).map(([name, option]) => [`${group}.${name}`, option] as const),
  );

  it('is a schema of draft 4, in the groups that an operator looks for', () => {
    const ajv = new AjvDraft04.default({ strict: false });
    expect(ajv.validateSchema(JSON.parse(packageFile('config.json')) as object)).toBe(true);
    expect(groups.map(([name]) => name)).toEqual([
      ...['service', 'proxies', 'mesh', 'rollout', 'discovery', 'mesos', 'zookeeper', 'tls'],
    ]);
  });

  it.each(options)('%s has a description, a default and bounds', (_, option) => {
    expect(option.description).toMatch(/^[A-Z0-9a-z].{10,}[.:]?/);
    expect(option.default).toBeDefined();
    switch (option.type) {
      case 'string':
        return expect(option.enum ?? (option.pattern && option.maxLength)).toBeDefined();
      case 'array':
        return expect([option.items?.pattern, option.items?.maxLength, option.maxItems]).not.toContain(undefined);
      case 'boolean':
        return;
      default:
        return expect([option.minimum, option.maximum]).not.toContain(undefined);
    }
  });

  it('takes its own defaults, and no option or group that it does not know', () => {
    expect(optionFaults({})).toEqual([]);
    expect(optionFaults({ proxies: { cpu: 1 } })).toEqual([expect.stringContaining('"additionalProperty":"cpu"')]);
    expect(optionFaults({ linkerd: { instances: 3 } })).toEqual([expect.stringContaining('linkerd')]);
  });

  it.each<[string, object]>([
    ['a name that is no app of Marathon', { service: { name: 'Mesh_1' } }],
    ['more than a port', { proxies: { edge_port: 65_536 } }],
    ['a time without a unit', { rollout: { gate: '10' } }],
    ['constraints of Marathon that are no JSON', { service: { constraints: '[[hostname, UNIQUE]]' } }],
    ['no Marathon', { discovery: { marathons: [] } }],
    ['text that would end the text of the template', { proxies: { user: 'a", "b": "c' } }],
    ['a configuration that is not in base64', { mesh: { config: 'routers:\n- label: "outgoing"' } }],
  ])('refuses %s', (_, options) => {
    expect(optionFaults(options)).not.toEqual([]);
  });
});

const SCHEMAS = join(import.meta.dirname, '../../../shared/fixtures/universe-schema');
const haveSchemas = existsSync(SCHEMAS);
describe.runIf(haveSchemas)(`the Universe's own schemas${haveSchemas ? '' : ' (not run: no ../shared)'}`, () => {
  const schema = (name: string): object => JSON.parse(readFileSync(join(SCHEMAS, name), 'utf8')) as object;

  it.each([
    ['package.json', 'package-schema.json'],
    ['config.json', 'config-schema.json'],
    ['resource.json', 'v3-resource-schema.json'],
  ] as const)('%s is valid by %s', (name, by) => {
    const ajv = new AjvDraft04.default({ strict: false, allErrors: true, formats: { uri: true, regex: true } });
    const document: unknown = JSON.parse(packageFile(name));
    ajv.validate(schema(by), document);
    expect(ajv.errors ?? []).toEqual([]);
    // It is looked at: a field too many is found.
    if (by !== 'config-schema.json' && isObject(document)) {
      expect(ajv.validate(schema(by), { ...document, another: 1 })).toBe(false);
    }
  });
});
