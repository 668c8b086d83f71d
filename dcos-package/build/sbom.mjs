/**
 * The software bill of materials of a release, in CycloneDX 1.6: for each archive the Node.js in it, and the packages that are
 * bundled into it, as esbuild counted them. The same release makes the same bytes: no time and no random number is in it. Pure.
 */
import { createHash } from 'node:crypto';

/**
 * @typedef {import('./bundle-contents.mjs').BundledPackage} BundledPackage
 *
 * @typedef {object} Shipped an archive
 * @property {string} name
 * @property {string} sha256
 * @property {readonly BundledPackage[]} packages
 * @property {{ node: string, platform: string, sha256: string }} runtime
 *
 * @typedef {object} Release
 * @property {string} version
 * @property {readonly Shipped[]} archives
 * @property {Readonly<Record<string, { integrity?: string }>>} locked package-lock.json's packages, by directory
 */

/** @param {Release} release */
export function sbomOf({ version, archives, locked }) {
  const us = `nodemesh@${version}`;
  /** @type {Map<string, { 'bom-ref': string }>} */
  const parts = new Map();
  /** @type {Map<string, readonly string[]>} */
  const dependencies = new Map([[us, archives.map(({ name }) => name).sort()]]);
  for (const { name, sha256, packages, runtime } of archives) {
    const contents = [nodeComponent(runtime), ...packages.map((each) => packageComponent(each, locked))];
    for (const part of contents) parts.set(part['bom-ref'], part);
    parts.set(name, archiveComponent(name, version, sha256));
    dependencies.set(name, [...new Set(contents.map((part) => part['bom-ref']))].sort());
  }
  const components = [...parts].sort(byKey).map(([, part]) => part);
  const content = {
    metadata: {
      lifecycles: [{ phase: 'build' }],
      component: {
        ...{ type: 'application', 'bom-ref': us, name: 'nodemesh', version },
        licenses: [{ license: { id: 'Apache-2.0' } }],
      },
    },
    components,
    dependencies: [...dependencies].sort(byKey).map(([ref, dependsOn]) => ({ ref, dependsOn })),
  };
  return {
    $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json',
    ...{ bomFormat: 'CycloneDX', specVersion: '1.6', serialNumber: serialOf(content), version: 1 },
    ...content,
  };
}

/**
 * @param {string} name
 * @param {string} version
 * @param {string} sha256
 */
function archiveComponent(name, version, sha256) {
  return { type: 'application', 'bom-ref': name, name, version, hashes: [{ alg: 'SHA-256', content: sha256 }] };
}

/** @param {Shipped['runtime']} runtime */
function nodeComponent({ node, platform, sha256 }) {
  const purl = `pkg:npm/node-${platform}@${node}`;
  return {
    ...{ type: 'platform', 'bom-ref': purl, name: 'node', version: node },
    description: `The executable of Node.js for ${platform}, with all that it is made of (LICENSE.nodejs)`,
    hashes: [{ alg: 'SHA-256', content: sha256 }],
    licenses: [{ license: { id: 'MIT' } }],
    // What scanners know its faults by.
    cpe: `cpe:2.3:a:nodejs:node.js:${node}:*:*:*:lts:*:*:*`,
    purl,
  };
}

/**
 * @param {BundledPackage} bundled
 * @param {Release['locked']} locked
 */
function packageComponent({ directory, name, version, license }, locked) {
  const [scope, short] = name.startsWith('@') ? name.split('/') : [undefined, name];
  const purl = `pkg:npm/${name.replace('@', '%40')}@${version}`;
  const digest = /^sha512-(\S+)$/.exec(locked[directory]?.integrity ?? '')?.[1];
  return {
    ...{ type: 'library', 'bom-ref': purl, ...(scope === undefined ? {} : { group: scope }), name: short, version },
    ...(digest === undefined
      ? {}
      : { hashes: [{ alg: 'SHA-512', content: Buffer.from(digest, 'base64').toString('hex') }] }),
    ...(license === null ? {} : { licenses: [licenseOf(license)] }),
    purl,
  };
}

/** @param {string} spdx an identifier, or an expression of several */
function licenseOf(spdx) {
  return /^[A-Za-z0-9.+-]+$/.test(spdx) ? { license: { id: spdx } } : { expression: spdx };
}

/**
 * A version 8 UUID (RFC 9562, section 5.8) of what the document says.
 *
 * @param {unknown} content
 */
function serialOf(content) {
  const hex = createHash('sha256').update(JSON.stringify(content)).digest('hex');
  const variant = ((Number.parseInt(hex.slice(16, 17), 16) & 0x3) | 0x8).toString(16);
  const groups = [hex.slice(0, 8), hex.slice(8, 12), `8${hex.slice(13, 16)}`, `${variant}${hex.slice(17, 20)}`];
  return `urn:uuid:${[...groups, hex.slice(20, 32)].join('-')}`;
}

/**
 * @param {readonly [string, unknown]} a
 * @param {readonly [string, unknown]} b
 */
function byKey([a], [b]) {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
