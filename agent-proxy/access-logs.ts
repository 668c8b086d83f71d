/** Where the lines of the access log go: a file of each router that asks for one, standard output with `--access-log`. */
import type { RouterConfig } from './config/schema/linkerd.ts';
import type { ProxySpec } from './config/spec.ts';
import type { AccessWriter } from './recording.ts';
import { AccessLog, ConsoleAccessLog } from './telemetry/access-log.ts';
import type { Log } from './telemetry/log.ts';
import { readRollPolicy } from './telemetry/roll-policy.ts';
import { RollingFile } from './telemetry/rolling-file.ts';

export interface AccessLogs {
  readonly byRouter: ReadonlyMap<string, readonly AccessWriter[]>;
  /** Lines that were lost because a file could not be written fast enough, or at all. */
  dropped(): number;
  close(): Promise<void>;
}

/** How a worker stands to the others that write, or wrote, to the same files. */
export interface AccessLogPlace {
  /** It goes on where an earlier worker stopped, whatever the configuration says of a start. */
  readonly isTakeOver: boolean;
  /** Of several workers the first begins the files, and rolls them. */
  readonly isFirst: boolean;
}

export function makeAccessLogs({ routers, accessLog }: ProxySpec, log: Log, place: AccessLogPlace): AccessLogs {
  const byRouter = new Map<string, AccessWriter[]>();
  const files: RollingFile[] = [];
  for (const config of routers) {
    const writers: AccessWriter[] = accessLog ? [new ConsoleAccessLog(log)] : [];
    if (config.httpAccessLog !== null) {
      const file = fileOf(config, config.httpAccessLog, log, place);
      files.push(file);
      writers.push(new AccessLog(file, Date.now));
    }
    if (writers.length > 0) byRouter.set(config.label, writers);
  }
  return {
    byRouter,
    dropped: () => files.reduce((sum, { dropped }) => sum + dropped, 0),
    close: async () => {
      await Promise.all(files.map((file) => file.close()));
    },
  };
}

function fileOf(config: RouterConfig, path: string, log: Log, { isTakeOver, isFirst }: AccessLogPlace): RollingFile {
  return new RollingFile({
    path,
    policy: readRollPolicy(config.httpAccessLogRollPolicy) ?? { kind: 'never' },
    append: config.httpAccessLogAppend || isTakeOver || !isFirst,
    rolls: isFirst,
    rotateCount: config.httpAccessLogRotateCount,
    wallClock: Date.now,
    onError: (error) => log.warn('the access log cannot be written', { path, error: error.message }),
  });
}
