/**
 * The plugins of the `dcos` command: `dcos-nodemesh-<os>.zip`, which that command unpacks and runs `dcos-nodemesh` of. They
 * carry the Node.js of their system beside the same built files that the scheduler has.
 */
import { join } from 'node:path';
import { builtArchive } from './built-archive.mjs';
import { commandEntries, plain, program } from './package-scheduler.mjs';
import { writeZip } from './zip.mjs';

/**
 * @typedef {import('../../scheduler/proxy/archive.ts').Runtime} Runtime
 *
 * @typedef {object} Plugin
 * @property {string} os as resource.json calls it
 * @property {string} executable its path in the archive
 * @property {string} node that of the Node.js
 */

/** By the platform of the Node.js. @type {Readonly<Partial<Record<string, Plugin>>>} */
export const PLUGINS = {
  'linux-x64': { os: 'linux', executable: 'bin/dcos-nodemesh', node: 'bin/node' },
  'darwin-x64': { os: 'darwin', executable: 'bin/dcos-nodemesh', node: 'bin/node' },
  'win-x64': { os: 'windows', executable: 'bin/dcos-nodemesh.cmd', node: 'bin/node.exe' },
};

/** What the command is called with in front of the words of `dcos nodemesh …`. */
const WORDS = ['dcos-plugin'];
const SCRIPT = '../lib/nodemesh.mjs';

/** @param {Plugin} plugin */
export function pluginName({ os }) {
  return `dcos-nodemesh-${os}.zip`;
}

/**
 * @param {string} root with its dist/ built
 * @param {{ out: string, plugin: Plugin, runtime: Runtime, level?: number }} wanted
 * @returns {Promise<string>} the file
 */
export async function packagePlugin(root, { out, plugin, runtime, level }) {
  const { startScript } = await builtArchive(root);
  const script = plugin.os === 'windows' ? windowsScript() : startScript({ script: SCRIPT, words: WORDS });
  const file = join(out, pluginName(plugin));
  const entries = [
    plain('plugin.toml', Buffer.from(pluginToml(plugin))),
    program(plugin.executable, Buffer.from(script)),
    ...(await commandEntries(root, runtime)),
    program(plugin.node, runtime.binary),
  ];
  await writeZip(entries, file, level);
  return file;
}

/**
 * What the `dcos` command reads first. With a description in it, the plugin need not be started for `dcos --help`.
 *
 * @param {Plugin} plugin
 */
function pluginToml({ executable }) {
  return `schemaVersion = "v1"
name = "nodemesh"

[[commands]]
name = "nodemesh"
path = "${executable}"
description = "Look at and steer the nodemesh service mesh"
`;
}

/** `%~dp0` is the directory of the script, with a backslash at its end. */
function windowsScript() {
  const script = SCRIPT.replaceAll('/', '\\');
  const lines = ['@echo off', `"%~dp0node.exe" "%~dp0${script}" ${WORDS.join(' ')} %*`, 'exit /b %errorlevel%'];
  return lines.map((line) => `${line}\r\n`).join('');
}
