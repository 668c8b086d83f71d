/**
 * The entry of every npm script: `node run.cjs start|build|package:proxy|check|test|bench|… [words]`. It is CommonJS in the old
 * syntax, so that a Node.js of any age gets as far as the sentence that says it is too old.
 */
'use strict';

const refusal = require('./node-version.cjs').refuseOldNode(process.versions.node);
if (refusal !== null) {
  process.stderr.write(`${refusal}\n`);
  process.exitCode = 1;
} else {
  // A file of its own: an old Node.js could not even parse the `import()` in it.
  require('./load.cjs').load(process.argv[2], process.argv.slice(3));
}
