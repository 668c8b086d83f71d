/**
 * Tells `npm test` in a file what vitest saw. Its own JSON report leaves out errors outside of tests and the time that
 * the set-up of a file takes.
 */
import { writeFileSync } from 'node:fs';
import { relative } from 'node:path';

/**
 * The report of one project of tests.
 *
 * @typedef {object} Report
 * @property {readonly FileReport[]} files
 * @property {readonly string[]} unhandled messages of errors outside of any test
 *
 * @typedef {object} FileReport
 * @property {string} path from the root of the repository
 * @property {number} seconds tests, their set-ups, and the loading of the file
 * @property {readonly string[]} faults why the file, or a set-up for several of its tests, failed
 * @property {readonly TestReport[]} tests
 *
 * @typedef {object} TestReport
 * @property {string} title with those of the groups around it
 * @property {'passed' | 'failed' | 'skipped'} state
 * @property {string} message of its first error; empty when there is none
 */

/** Vitest hands no options on to a reporter of the command line; the file is named by the environment. */
export const REPORT_FILE = 'NODEMESH_TEST_REPORT';

// biome-ignore lint/style/noDefaultExport: vitest takes the default export of a reporter's file
export default class FileReporter {
  #root = '';

  /** @param {import('vitest/node').Vitest} vitest */
  onInit(vitest) {
    this.#root = vitest.config.root;
  }

  /**
   * @param {readonly import('vitest/node').TestModule[]} modules
   * @param {readonly { message: string }[]} unhandled
   */
  onTestRunEnd(modules, unhandled) {
    /** @type {Report} */
    const report = {
      files: modules.map((module) => fileReport(module, this.#root)),
      unhandled: unhandled.map((error) => error.message),
    };
    const file = process.env[REPORT_FILE];
    if (file === undefined) throw new Error(`${REPORT_FILE} does not name the file of the report`);
    writeFileSync(file, JSON.stringify(report));
  }
}

/**
 * @param {import('vitest/node').TestModule} module
 * @param {string} root
 * @returns {FileReport}
 */
function fileReport(module, root) {
  const { collectDuration, duration } = module.diagnostic();
  return {
    path: relative(root, module.moduleId),
    seconds: (collectDuration + duration) / 1000,
    faults: [module, ...module.children.allSuites()].flatMap((group) => group.errors().map((error) => error.message)),
    tests: Array.from(module.children.allTests(), (test) => {
      const { state, errors } = test.result();
      return {
        title: test.fullName,
        // What was cut off in the middle did not pass.
        state: state === 'pending' ? 'failed' : state,
        message: errors?.[0]?.message ?? '',
      };
    }),
  };
}
