import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { accessLine, consoleLine } from '../../../agent-proxy/telemetry/access-line.ts';
import { AccessLog, ConsoleAccessLog, Timestamp } from '../../../agent-proxy/telemetry/access-log.ts';
import type { AccessRecord } from '../../../agent-proxy/telemetry/access-record.ts';

const RECORD: AccessRecord = {
  router: 'outgoing',
  remoteAddress: '10.0.0.7',
  method: 'GET',
  target: '/a?b=c',
  version: '1.1',
  host: 'web',
  status: 200,
  bytes: 12,
  referer: 'http://example.com/',
  userAgent: 'curl/8.1 (x)',
  latencyMs: 1.25,
  reason: null,
  service: '/svc/web',
  client: '/#/io.l5d.marathon/web',
  upstream: 'web.1@10.0.0.9:31000',
  retries: 0,
};
const TIME = '25/11/2026:18:05:09 +0000';

describe('a line', () => {
  it("is linkerd's, with reason and upstream behind it", () => {
    expect(accessLine(RECORD, TIME)).toBe(
      'web 10.0.0.7 - - [25/11/2026:18:05:09 +0000] "GET /a?b=c HTTP/1.1" 200 12 ' +
        '"http://example.com/" "curl/8.1 (x)" - web.1@10.0.0.9:31000',
    );
  });

  it('has a dash for what is missing', () => {
    const bare = { ...RECORD, host: null, status: null, bytes: null, referer: null, userAgent: '', upstream: null };
    expect(accessLine({ ...bare, reason: 'client-gone' }, TIME)).toBe(
      '- 10.0.0.7 - - [25/11/2026:18:05:09 +0000] "GET /a?b=c HTTP/1.1" - - "-" "-" client-gone -',
    );
  });

  it.each([
    ['fe80::1%eth0', 'fe80::1'],
    ['::ffff:10.1.2.3', '10.1.2.3'],
    ['2001:db8::1', '2001:db8::1'],
  ])('shows the address %s as %s', (remoteAddress, shown) => {
    expect(accessLine({ ...RECORD, remoteAddress }, TIME)).toContain(`web ${shown} - - [`);
  });

  it('cannot be forged, whatever bytes a request has', () => {
    const bytes = fc.string({ unit: fc.integer({ min: 0, max: 255 }).map((byte) => String.fromCharCode(byte)) });
    fc.assert(
      fc.property(bytes, bytes, bytes, bytes, (target, host, referer, userAgent) => {
        const line = accessLine({ ...RECORD, target, host, referer, userAgent }, TIME);
        expect(line).toMatch(
          /^[!-~]+ 10\.0\.0\.7 - - \[[^\]]+\] "GET [!#-~]+ HTTP\/1\.1" 200 12 "[ !#-~]+" "[ !#-~]+" - web\.1@10\.0\.0\.9:31000$/,
        );
        expect(consoleLine({ ...RECORD, target, host }, 'now')).toMatch(/^[ -~]+$/);
      }),
    );
  });

  it('shows bytes that it cannot hold in hexadecimal digits', () => {
    const target = '/a" 200 12\r\n\\';
    expect(accessLine({ ...RECORD, target }, TIME)).toContain('"GET /a\\x22\\x20200\\x2012\\x0d\\x0a\\x5c HTTP/1.1"');
  });

  it('is kept for people too, on standard output', () => {
    expect(consoleLine({ ...RECORD, retries: 1, reason: 'app-error', status: 500 }, '2026-11-25T18:05:09.000Z')).toBe(
      '2026-11-25T18:05:09.000Z access outgoing 10.0.0.7 "GET /a?b=c HTTP/1.1" host="web" 500 app-error 1.3ms ' +
        'service=/svc/web client=/#/io.l5d.marathon/web upstream=web.1@10.0.0.9:31000 retries=1',
    );
  });
});

it('the time is UTC, and made once a second', () => {
  const timestamp = new Timestamp();
  const first = timestamp.at(Date.UTC(2026, 0, 2, 3, 4, 5, 1));
  expect(first).toBe('02/01/2026:03:04:05 +0000');
  expect(timestamp.at(Date.UTC(2026, 0, 2, 3, 4, 5, 999))).toBe(first);
  expect(timestamp.at(Date.UTC(2026, 0, 2, 3, 4, 6))).toBe('02/01/2026:03:04:06 +0000');
});

it('the log appends a line for each record', () => {
  const lines: string[] = [];
  const log = new AccessLog({ append: (line) => lines.push(line) }, () => 0);
  log.write(RECORD);
  log.write({ ...RECORD, status: 404 });
  expect(lines).toHaveLength(2);
  expect(lines[1]).toContain('[01/01/1970:00:00:00 +0000] "GET /a?b=c HTTP/1.1" 404');
});

it('the log on standard output has lines of our own', () => {
  const lines: string[] = [];
  const log = new ConsoleAccessLog({ line: (line) => lines.push(line) }, () => 0);
  log.write(RECORD);
  expect(lines).toEqual([consoleLine(RECORD, '1970-01-01T00:00:00.000Z')]);
});
