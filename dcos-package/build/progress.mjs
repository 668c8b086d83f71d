/**
 * What the build and test scripts say while they work, and how they fail. All of it goes to standard error: standard
 * output belongs to the command that is run in the end.
 */

/** A fault with a remedy: shown as its message alone, without a stack trace. */
export class SetUpError extends Error {
  /**
   * @param {string} message what happened, and what to do
   * @param {number} exitCode
   */
  constructor(message, exitCode = 1) {
    super(message);
    this.name = 'SetUpError';
    this.exitCode = exitCode;
  }
}

/** @param {string} line */
export function say(line) {
  process.stderr.write(`nodemesh: ${line}\n`);
}

/**
 * Seconds since a moment of `performance.now()`, for people.
 *
 * @param {number} since
 */
export function secondsSince(since) {
  return `${((performance.now() - since) / 1000).toFixed(1)} s`;
}
