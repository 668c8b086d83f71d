/**
 * The access log: one line for each request at the server's edge, always, with what became of it upstream. Off unless
 * asked for: by `--access-log` on standard output, by `httpAccessLog` in a file of the router.
 */
import { accessLine, consoleLine } from './access-line.ts';
import type { AccessRecord } from './access-record.ts';
import type { Log } from './log.ts';

/** Where whole lines go. Never waits. */
export interface LineSink {
  /** `line` is a byte string without its line end. */
  append(line: string): void;
}

/** The access log of one router. `wallClock` is in ms since 1970. */
export class AccessLog {
  private readonly sink: LineSink;
  private readonly wallClock: () => number;
  private readonly timestamp = new Timestamp();

  constructor(sink: LineSink, wallClock: () => number) {
    this.sink = sink;
    this.wallClock = wallClock;
  }

  write(record: AccessRecord): void {
    this.sink.append(accessLine(record, this.timestamp.at(this.wallClock())));
  }
}

/** Our own lines, on standard output, for all routers. `wallClock` is in ms since 1970. */
export class ConsoleAccessLog {
  private readonly log: Pick<Log, 'line'>;
  private readonly wallClock: () => number;

  constructor(log: Pick<Log, 'line'>, wallClock: () => number = Date.now) {
    this.log = log;
    this.wallClock = wallClock;
  }

  write(record: AccessRecord): void {
    this.log.line(consoleLine(record, new Date(this.wallClock()).toISOString()));
  }
}

/** `dd/MM/yyyy:HH:mm:ss +0000`, always UTC; made once a second. */
export class Timestamp {
  private second = Number.NaN;
  private text = '';

  at(wallMs: number): string {
    const second = Math.floor(wallMs / 1000);
    if (second !== this.second) {
      this.second = second;
      const [, year, month, day, time] =
        /^(\d+)-(\d+)-(\d+)T([\d:]+)/.exec(new Date(second * 1000).toISOString()) ?? [];
      this.text = `${day}/${month}/${year}:${time} +0000`;
    }
    return this.text;
  }
}
