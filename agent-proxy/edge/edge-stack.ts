/**
 * The walk of a request at the edge router, whose clients may be anybody: an exposed app, or an explanation. Of what a
 * client says of context, of dtabs and of whom it comes for, nothing is believed and nothing goes on.
 */
import { type AdmissionParts, admit } from '../accept/admit.ts';
import { NO_DTAB } from '../bind/request-dtab.ts';
import type { Routes } from '../bind/routes.ts';
import type { Exchange } from '../exchange/exchange.ts';
import { readContext } from '../exchange/request-context.ts';
import type { ExposedApps } from '../routing/exposed-apps.ts';
import { normalizeHost } from '../routing/host-names.ts';
import { withForwardedFor } from './forwarded-for.ts';
import { Stickiness } from './stickiness.ts';

export interface EdgeParts extends AdmissionParts {
  readonly exposed: ExposedApps;
  readonly routes: Routes;
}

export function edgeStack({ exposed, routes, ...admission }: EdgeParts): (exchange: Exchange) => void {
  return (exchange) => {
    const { head, connection } = exchange;
    if (head.method === 'TRACE') {
      // It would show what the proxy adds to a request, and how its name was bound.
      exchange.refuse({ code: 'not-supported', detail: 'TRACE at the edge router' });
      return;
    }
    if (!admit(exchange, admission)) return;
    // The servers of this router have `clearContext`.
    readContext(exchange);
    const { local, remote } = connection.transport;
    exchange.changedLines = withForwardedFor(exchange.kept, {
      client: remote?.address ?? null,
      port: local?.port ?? null,
      host: head.host,
    });
    const host = head.host ?? '';
    const app = exposed.find(host, exchange.target);
    if (app === null) {
      exchange.refuse({ code: 'not-exposed', detail: `host '${host}'`, hint: HINT });
      return;
    }
    if (app.redirectToHttps) {
      redirect(exchange, host);
      return;
    }
    if (app.sticky) exchange.stickiness = new Stickiness(app.service, app.path, head.header('cookie'));
    exchange.follow(routes.route(keyOf(app.service, app.port), NO_DTAB));
  };
}

const HINT = 'an app is exposed by labels: HAPROXY_0_VHOST, or NODEMESH_EXPOSE';

/** Below the router's prefix (`/marathonId`): so an override of an app holds here too. */
function keyOf(service: string, port: string | null): string {
  return (port === null ? service : `${service}:${port}`).replaceAll('/', '\0');
}

/** For good (RFC 9110, 15.4); 308 keeps the method and the body of what is more than a look. */
function redirect(exchange: Exchange, host: string): void {
  const { head, target } = exchange;
  const isLook = head.method === 'GET' || head.method === 'HEAD';
  const path = target.startsWith('/') ? target : '/';
  exchange.answer(isLook ? 301 : 308, `Location: https://${normalizeHost(host)}${path}\r\n`, '');
}
