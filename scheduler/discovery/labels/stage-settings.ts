/** What the labels of apps say, on its way to the proxies. */
import type { Feed } from '../../distribution/feed.ts';
import type { LabelBook } from './label-book.ts';

interface Stage {
  readonly labels: Pick<LabelBook, 'settings'>;
  readonly feed: Pick<Feed, 'setDocument' | 'removeDocument'>;
  readonly logger: { error(fields: object, message: string): void };
}

/** Stages the settings of these services as they are now. */
export function stageSettings(names: Iterable<string>, { labels, feed, logger }: Stage): void {
  for (const name of names) {
    const settings = labels.settings(name);
    if (settings === null) feed.removeDocument({ kind: 'settings', name });
    else if (!feed.setDocument({ kind: 'settings', name, settings })) {
      logger.error(
        { service: name },
        'the labels of an app say more than proxies can be told, and do nothing: shorten them',
      );
    }
  }
}
