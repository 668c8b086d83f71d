/**
 * The licences of the packages that are bundled into an archive, as one text beside the code: most of them are given on the
 * condition that they come along.
 */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** @typedef {import('./bundle-contents.mjs').BundledPackage} BundledPackage */

const LICENSE_FILE = /^(?:licen[cs]e|copying|notice)(?:[.-].*)?$/i;

/**
 * @param {string} root
 * @param {readonly BundledPackage[]} packages
 * @returns {Promise<Buffer>}
 */
export async function licenseNotices(root, packages) {
  const texts = await Promise.all(packages.map((each) => noticeOf(root, each)));
  const head = 'nodemesh is bundled with these packages, each under its own licence.\n';
  return Buffer.from([head, ...texts].join(`\n${'-'.repeat(80)}\n\n`));
}

/**
 * @param {string} root
 * @param {BundledPackage} bundled
 */
async function noticeOf(root, { directory, name, version, license }) {
  const files = (await readdir(join(root, directory))).filter((file) => LICENSE_FILE.test(file)).sort();
  const texts = await Promise.all(files.map((file) => readFile(join(root, directory, file), 'utf8')));
  const title = `${name} ${version} (${license ?? 'see its licence'})`;
  return `${[title, ...texts.map((text) => text.replaceAll('\r\n', '\n').trim())].join('\n\n')}\n`;
}
