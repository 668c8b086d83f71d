/** Streams of requests that once made the parser, or two views of it, disagree; the fuzzer starts from them as well. */
export const FOUND: readonly { readonly stream: string; readonly was: string }[] = [
  {
    stream: '\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n',
    was: 'an empty line before a request that came in two pieces, between its CR and LF, was refused as a bad method',
  },
  {
    stream: 'GET http://good@evil/ HTTP/1.1\r\nHost: a\r\n\r\n',
    was: 'userinfo in a target was taken for its host, and the host for its path',
  },
  { stream: 'GET http://:80/ HTTP/1.1\r\nHost: a\r\n\r\n', was: 'a URL without a host was accepted' },
  { stream: 'GET / HTTP/1.1\r\nHost: [::1\r\n\r\n', was: 'a Host with half a pair of brackets was accepted' },
  { stream: 'GET / HTTP/1.1\r\nHost: a:b\r\n\r\n', was: 'a Host with a port that is no number was accepted' },
  { stream: 'GET / HTTP/1.1\r\nHost: a%zz\r\n\r\n', was: 'a Host with half an escape was accepted' },
  { stream: 'CONNECT /a HTTP/1.1\r\nHost: a\r\n\r\n', was: 'CONNECT to a path was accepted' },
  { stream: 'CONNECT a"b:80 HTTP/1.1\r\nHost: a\r\n\r\n', was: 'CONNECT to what is no host was accepted' },
  {
    stream: 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1 ;a\r\nx\r\n0\r\n\r\n',
    was: 'white space before an extension of a chunk was refused',
  },
  {
    stream: 'a / HTTP/1.1\r\nHost:\r\na:\r\n\r\nOPTIONS * HTTP/1.1\r\nTransfer-Encoding:chunked\r\nHost:\r\n\r\nT',
    was: 'a body that broke behind a refusal took that answer with it, and the one before',
  },
];
