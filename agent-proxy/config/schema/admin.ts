/** `admin:` – the listener for people and monitoring. */
import { z } from 'zod';
import { fallsBack, inner, noEffect, notYet } from './keys.ts';
import { flag, integer, ip, milliseconds, port, text } from './scalars.ts';

const pathRegexp = text
  .refine((source) => isRegexp(source), 'is not a regular expression')
  .meta({ shownAs: 'regular expression' });

const security = z.strictObject({
  uiEnabled: fallsBack(flag, true, 'The pages that the dashboard is made of.'),
  controlEnabled: fallsBack(flag, true, '`/admin/shutdown` and `/logging.json`.'),
  diagnosticsEnabled: fallsBack(flag, true, 'All other pages.'),
  pathWhitelist: fallsBack(z.array(pathRegexp), [], 'Paths that are served though their kind is off.'),
  pathBlacklist: fallsBack(z.array(pathRegexp), [], 'Paths that are never served; stronger than `pathWhitelist`.'),
});

export const admin = z.strictObject({
  ip: fallsBack(ip, '127.0.0.1', 'The address to listen on.'),
  port: fallsBack(port, 9990, 'The port to listen on; 0 for any.'),
  shutdownGraceMs: fallsBack(milliseconds, 10_000, 'How long requests may go on after a request to shut down.'),
  security: inner(security, 'What is served. A page that is not answers 404.'),
  socketOptions: noEffect(z.unknown(), 'the admin listener has no options'),
  workerThreads: noEffect(integer(1), 'one process serves a connection from its beginning to its end'),
  tls: notYet('server TLS'),
  httpIdentifierPort: notYet('httpIdentifierPort'),
});

function isRegexp(source: string): boolean {
  try {
    return new RegExp(`^(?:${source})$`) instanceof RegExp;
  } catch {
    return false;
  }
}
