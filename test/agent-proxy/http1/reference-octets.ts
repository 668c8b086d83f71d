/** The octets of a stream for the reference parser: taken one by one, with what can come of it. */

/** There may be more of it. */
export class Unfinished extends Error {}

export class Refused extends Error {
  readonly status: number;

  constructor(status: number, why: string) {
    super(why);
    this.status = status;
  }
}

/** The octets of a stream, taken one by one. `most` is where the part that is being read has to end. */
export class Octets {
  at = 0;
  private readonly stream: string;
  private most = Number.POSITIVE_INFINITY;
  private tooLong = 400;

  constructor(stream: string) {
    this.stream = stream;
  }

  get isAtEnd(): boolean {
    return this.at >= this.stream.length;
  }

  limit(most: number, status: number): void {
    this.most = most;
    this.tooLong = status;
  }

  check(): void {
    if (this.at > this.most) throw new Refused(this.tooLong, 'too long');
  }

  peek(): string {
    if (this.isAtEnd) throw new Unfinished();
    return this.stream.charAt(this.at);
  }

  /** Any one octet; null at the end of what is there. */
  any(): string | null {
    if (this.isAtEnd) return null;
    this.at += 1;
    return this.stream.charAt(this.at - 1);
  }

  /** As many octets of a kind as there are. The octet behind them has to be there as well. */
  run(kind: RegExp): string {
    const start = this.at;
    while (!this.isAtEnd && kind.test(this.stream.charAt(this.at))) {
      this.at += 1;
      this.check();
    }
    this.peek();
    return this.stream.slice(start, this.at);
  }

  expect(text: string, status: number, why: string): void {
    for (const char of text) {
      if (this.peek() !== char) throw new Refused(status, why);
      this.at += 1;
    }
  }

  rest(): string {
    return this.stream.slice(this.at);
  }
}
