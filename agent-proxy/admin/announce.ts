/** The contract's announcement: a scheduler that moved says where it is. */
import { type AdminExchange, jsonOf } from './exchange.ts';
import type { AdminHost } from './host.ts';

export async function announce(host: AdminHost, exchange: AdminExchange): Promise<void> {
  if (host.announce === null) {
    exchange.text(404, 'this proxy runs without a scheduler');
    return;
  }
  // Proxies without a scheduler never need the schemas (control/wire-words.ts).
  const { announceSchema } = await import('../control/contract.ts');
  const body = await exchange.readBody();
  if (host.isOurScheduler !== null && !host.isOurScheduler(exchange.request.headers.authorization, body ?? '')) {
    exchange.text(401, 'the announcement is not signed by the scheduler that this proxy has enrolled at');
    return;
  }
  const parsed = announceSchema.safeParse(jsonOf(body));
  if (!parsed.success) {
    exchange.text(400, 'the body is not {"epoch": 1, "schedulers": ["http://host:port"]}');
    return;
  }
  const announced = host.announce(parsed.data);
  if (announced.accepted) {
    exchange.empty(204);
    return;
  }
  const { highest } = announced;
  exchange.json(409, { error: `epoch ${parsed.data.epoch} is below ${highest}`, epoch: highest });
}
