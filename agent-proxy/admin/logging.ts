/** `/logging.json`: the levels of the loggers; POST `logger` and `level`, as JSON, a form or in the query, sets one. */
import type { AdminExchange } from './exchange.ts';
import type { AdminHost } from './host.ts';

export async function logging({ logging: loggers }: AdminHost, exchange: AdminExchange): Promise<void> {
  if (exchange.request.method === 'POST') {
    const { logger, level } = await wanted(exchange);
    const why = logger === null || level === null ? '`logger` and `level` are both needed' : loggers.set(logger, level);
    if (why !== null) {
      exchange.text(400, why);
      return;
    }
  }
  exchange.json(200, loggers.list());
}

interface Wanted {
  readonly logger: string | null;
  readonly level: string | null;
}

async function wanted(exchange: AdminExchange): Promise<Wanted> {
  if (exchange.hasType('application/json')) {
    const body = await exchange.readJson();
    if (typeof body !== 'object' || body === null) return { logger: null, level: null };
    const text = (value: unknown): string | null => (typeof value === 'string' ? value : null);
    return {
      logger: text('logger' in body ? body.logger : null),
      level: text('level' in body ? body.level : null),
    };
  }
  const form = exchange.hasType('application/x-www-form-urlencoded') ? await exchange.readBody() : null;
  const words = form === null ? exchange.query : new URLSearchParams(form);
  return { logger: words.get('logger'), level: words.get('level') };
}
