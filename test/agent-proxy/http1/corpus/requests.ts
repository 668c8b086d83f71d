/** Streams of requests that the fuzzer starts from: one of each kind that the parser tells apart. */
export const REQUEST_CORPUS: readonly string[] = [
  'GET / HTTP/1.1\r\nHost: a\r\n\r\n',
  'GET /a?b=c HTTP/1.1\r\nHost: a:80\r\nAccept: */*\r\nConnection: keep-alive, x-hop\r\nX-Hop: 1\r\n\r\nGET /b HTTP/1.1\r\nHost: b\r\n\r\n',
  'POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhelloGET /b HTTP/1.1\r\nHost: b\r\n\r\n',
  'POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello',
  'POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\nGET /b HTTP/1.1\r\nHost: b\r\n\r\n',
  'POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n000A ; c="d"\r\n0123456789\r\n0\r\nX-Sum: 1\r\nHost: c\r\n\r\n',
  'PUT http://b.example:8080/x?y HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nhi',
  'OPTIONS * HTTP/1.1\r\nHost:\r\n\r\nOPTIONS http://a HTTP/1.1\r\nHost: a\r\n\r\n',
  'CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n',
  'GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
  'GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n\r\n\r\nPOST / HTTP/1.0\r\nContent-Length: 3\r\n\r\nabc',
  'GET /\xe4 HTTP/1.1\r\nHost: [::1]:80\r\n\r\n',
  'GET / HTTP/1.1\r\nHost: a\r\nA: \xe4\t b \r\nB:\r\nl5d-dtab: /svc => /#/io.l5d.fs\r\nVia: 1.1 x\r\n\r\n',
];
