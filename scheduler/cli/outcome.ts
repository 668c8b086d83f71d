/** How a command ends that does not end well. */

/** All is said already; only the exit code is left. */
export class QuietEnd extends Error {
  readonly exitCode: number;
  readonly lines: readonly string[] = [];

  constructor(exitCode: number) {
    super('');
    this.name = 'QuietEnd';
    this.exitCode = exitCode;
  }
}

/** What was asked for is not there: exit code 2, as for any mistake on the command line. */
export class UnknownName extends Error {
  readonly exitCode = 2;

  constructor(message: string) {
    super(message);
    this.name = 'UnknownName';
  }
}
