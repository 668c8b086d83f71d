import { expect, it } from 'vitest';
import { debugValue, diagnosticText } from '../../../agent-proxy/tracing/diagnostic.ts';
import { tracedRequest } from './traced-request.ts';

it('the block of TRACE tells how the name was resolved and where it went', () => {
  expect(
    diagnosticText({
      router: 'outgoing',
      durationMs: 22,
      service: '/svc/web',
      client: '/#/io.l5d.fs/web',
      addresses: ['127.0.0.1:9999', '127.0.0.1:9998'],
      selected: '127.0.0.1:9999',
      resolution: [
        { path: '/svc/web', dentry: null },
        { path: '/srv/web', dentry: '/svc => /srv' },
        { path: '/#/io.l5d.fs/web', dentry: '/srv => /#/io.l5d.fs' },
      ],
    }),
  ).toBe(`
--- Router: outgoing ---
request duration: 22.0 ms
service name: /svc/web
client name: /#/io.l5d.fs/web
addresses: [127.0.0.1:9999, 127.0.0.1:9998]
selected address: 127.0.0.1:9999
dtab resolution:
  /svc/web
  => /srv/web (/svc => /srv)
  => /#/io.l5d.fs/web (/srv => /#/io.l5d.fs)
`);
});

it('l5d-debug tells each attempt with its times', () => {
  expect(debugValue(tracedRequest(), 119)).toBe(
    '"outgoing"; service="/svc/web"; ms=19.0' +
      '; attempt="/#/io.l5d.marathon/web web.1 127.0.0.1:31000 status=503 reason=app-error begun=1.0 written=2.0 head=5.0"' +
      '; attempt="/#/io.l5d.marathon/web web.2 127.0.0.1:31001 status=200 reason=- begun=7.0 written=8.0 head=18.0"',
  );
});

it('l5d-debug is a safe header value, and bounded, whatever it tells of', () => {
  const [attempt] = tracedRequest().attempts;
  if (attempt === undefined) throw new Error('there is no attempt');
  const attempts = Array.from({ length: 1_000 }, () => attempt);
  const value = debugValue(tracedRequest({ service: '/svc/a"\r\nb\xff', reason: 'refused', attempts }), 119);
  expect(value).toMatch(/^[\x20-\x7e]+$/);
  expect(value).toContain('service="/svc/a%22%0d%0ab%ff"; ms=19.0; reason=refused;');
  expect(value.length).toBeLessThan(2_000);
});
