/** Ends several parts at once, and does not wait for ever for one that does not end. */

export interface EndingLogger {
  warn(fields: object, message: string): void;
}

/** Milliseconds. A write to the state may take as long as a session of ZooKeeper; nothing else should take a second. */
const PATIENCE_MS = 10_000;

/** Resolves when all have ended, or when those that have not were named in the log. Rejects with the first that fails. */
export async function endAll(
  parts: Readonly<Record<string, Promise<void>>>,
  logger: EndingLogger,
  patienceMs = PATIENCE_MS,
): Promise<void> {
  const open = new Set(Object.keys(parts));
  const all = Promise.all(Object.entries(parts).map(([name, part]) => part.then(() => open.delete(name))));
  let timer: NodeJS.Timeout | undefined;
  const patience = new Promise<void>((resolve) => {
    timer = setTimeout(() => {
      logger.warn({ parts: [...open], seconds: patienceMs / 1000 }, 'these parts do not end; stopping without them');
      resolve();
    }, patienceMs);
  });
  try {
    await Promise.race([all, patience]);
  } finally {
    clearTimeout(timer);
  }
}
