/** Makes streams of messages for the tests of the parser: valid ones, and what damage and ill will make of them. */
import fc from 'fast-check';

import { DAMAGES } from './damage.ts';

const TCHARS = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
const token = fc.string({ unit: fc.constantFrom(...TCHARS), minLength: 1, maxLength: 12 });
const visible = fc.integer({ min: 0x21, max: 0xff }).filter((octet) => octet !== 0x7f);
const valueChar = fc.oneof({ weight: 9, arbitrary: visible }, { weight: 1, arbitrary: fc.constantFrom(0x20, 0x09) });
const value = fc.array(valueChar, { maxLength: 30 }).map((octets) => String.fromCharCode(...octets));
const blanks = fc.constantFrom('', ' ', ' ', ' ', '\t', '  \t');
/** Names that say something to the parser come from elsewhere. */
const MEANINGFUL = /^(host|content-length|transfer-encoding|expect)$/i;
const plainField = fc
  .tuple(
    fc.oneof(token, fc.constantFrom('Accept', 'Connection', 'X-Forwarded-For', 'l5d-dtab', 'Via', 'TE', 'Keep-Alive')),
    blanks,
    value,
    blanks,
  )
  .filter(([name]) => !MEANINGFUL.test(name))
  .map(([name, before, text, behind]) => `${name}:${before}${text}${behind}\r\n`);
const plainFields = fc.array(plainField, { maxLength: 6 });

const content = fc
  .array(fc.integer({ min: 0, max: 255 }), { maxLength: 60 })
  .map((octets) => String.fromCharCode(...octets));
const extension = fc.constantFrom('', '', '', ';a', ';a=b', ' ; a="b c"', ';');
const chunk = fc.tuple(content, extension, fc.boolean(), fc.integer({ min: 0, max: 3 }));

const chunkedBody = fc.tuple(fc.array(chunk, { maxLength: 4 }), plainFields).map(([chunks, trailers]) => {
  const written = chunks
    .filter(([text]) => text !== '')
    .map(([text, more, isUpper, zeros]) => {
      const size = '0'.repeat(zeros) + text.length.toString(16);
      return `${isUpper ? size.toUpperCase() : size}${more}\r\n${text}\r\n`;
    });
  return `${written.join('')}0\r\n${trailers.join('')}\r\n`;
});

/** The headers of the framing, and the body. */
const framed = fc.oneof(
  fc.constant({ fields: [] as string[], body: '' }),
  content.map((body) => ({ fields: [`Content-Length: ${body.length}\r\n`], body })),
  content.map((body) => ({ fields: Array(2).fill(`content-length:${body.length} \r\n`) as string[], body })),
  chunkedBody.map((body) => ({ fields: ['Transfer-Encoding: chunked\r\n'], body })),
  chunkedBody.map((body) => ({ fields: ['transfer-ENCODING:\tChunked\r\n'], body })),
);

const expectation = fc.constantFrom<string[]>([], [], [], ['Expect: 100-continue\r\n']);
const target = fc.constantFrom(
  '/',
  '/a/b?c=d',
  '//x',
  '/%7e',
  'http://a.example/x',
  'http://[::1]:8080',
  'HTTPS://a?b',
);
const method = fc
  .oneof(fc.constantFrom('GET', 'HEAD', 'POST', 'PUT', 'OPTIONS', 'DELETE'), token)
  .filter((name) => name !== 'CONNECT');
const host = fc.constantFrom('a', 'web.example.com', 'a:80', '[2001:db8::1]:8080', '10.0.0.1', '', 'a%2Fb');

/** In any order. */
function shuffled(fields: readonly string[], seed: number): string {
  return [...fields].sort((one, two) => rank(one, seed) - rank(two, seed)).join('');
}

function rank(text: string, seed: number): number {
  let sum = seed;
  for (const char of text) sum = (sum * 31 + char.charCodeAt(0)) % 65_521;
  return sum;
}

/** A request without a fault. */
export const request: fc.Arbitrary<string> = fc
  .record({ method, target, host, framed, expectation, fields: plainFields, seed: fc.nat(1000), empty: fc.nat(9) })
  .map(({ method: verb, target: aim, host: name, framed: { fields, body }, expectation: hope, ...more }) => {
    const lines = shuffled([`Host: ${name}\r\n`, ...fields, ...hope, ...more.fields], more.seed);
    return `${more.empty === 0 ? '\r\n' : ''}${verb} ${aim} HTTP/1.1\r\n${lines}\r\n${body}`;
  });

/** A request of HTTP/1.0 without a fault: it needs no Host and knows no chunks. */
export const oldRequest: fc.Arbitrary<string> = fc
  .record({ method, target, fields: plainFields, content })
  .map(({ method: verb, target: aim, fields, content: body }) => {
    const length = body === '' ? '' : `Content-Length: ${body.length}\r\n`;
    return `${verb} ${aim} HTTP/1.0\r\n${fields.join('')}${length}\r\n${body}`;
  });

const status = fc.constantFrom(200, 201, 404, 500, 599);
const reason = fc.constantFrom(' OK', ' ', '', ' Not Found', ' \xe4h');

/** A response with a length or chunks, without a fault. */
export const response: fc.Arbitrary<string> = fc
  .record({ status, reason, framed, fields: plainFields, seed: fc.nat(1000), informs: fc.nat(4) })
  .map(({ status: code, reason: phrase, framed: { fields, body }, fields: others, seed, informs }) => {
    const own = fields.length === 0 ? ['Content-Length: 0\r\n'] : fields;
    const before = informs === 0 ? 'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n' : '';
    return `${before}HTTP/1.1 ${code}${phrase}\r\n${shuffled([...own, ...others], seed)}\r\n${body}`;
  });

/** Streams of this kind of message, most of them damaged in one to three places. */
export function damaged(streams: fc.Arbitrary<string>): fc.Arbitrary<string> {
  const blow = fc.tuple(fc.nat(DAMAGES.length - 1), fc.double({ min: 0, max: 0.9999, noNaN: true }));
  return fc.tuple(streams, fc.array(blow, { minLength: 1, maxLength: 3 })).map(([stream, blows]) =>
    blows.reduce((text, [which, share]) => {
      const at = Math.floor(share * text.length);
      return DAMAGES[which]?.(text, at) ?? text;
    }, stream),
  );
}

export function streamOf(message: fc.Arbitrary<string>): fc.Arbitrary<string> {
  return fc.array(message, { minLength: 1, maxLength: 3 }).map((messages) => messages.join(''));
}
