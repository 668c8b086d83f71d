/**
 * The one check that has to run on a Node.js of any age, hence CommonJS in the old syntax.
 */
'use strict';

/**
 * One line for a Node.js that is too old, null for one that will do.
 *
 * @param {string} version as in `process.versions.node`
 * @returns {string | null}
 */
function refuseOldNode(version) {
  const parts = version.split('.');
  const major = Number(parts[0]);
  const minor = Number(parts[1]);
  if (major > 20 || (major === 20 && minor >= 19)) return null;
  return `nodemesh needs Node.js 20.19 or newer; this is v${version} (${process.execPath}). Install a newer one, from nodejs.org or with your version manager, and run the command again.`;
}

exports.refuseOldNode = refuseOldNode;
