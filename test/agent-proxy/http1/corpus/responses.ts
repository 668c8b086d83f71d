/** Streams of responses that the fuzzer starts from. They answer GETs. */
export const RESPONSE_CORPUS: readonly string[] = [
  'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello',
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X\r\n\r\n3;x\r\nabc\r\n0\r\nX: y\r\n\r\n',
  'HTTP/1.1 200 \r\nConnection: close\r\n\r\nuntil the end',
  'HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 304 Not Modified\r\nContent-Length: 10\r\n\r\n',
  'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n',
  'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 404 Not Found\r\nContent-Length: 1\r\nKeep-Alive: timeout=5\r\n\r\nx',
  'HTTP/1.0 200 OK\r\nContent-Length: 1\r\nConnection: keep-alive\r\n\r\nx',
  'HTTP/1.1 500\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nno',
];
