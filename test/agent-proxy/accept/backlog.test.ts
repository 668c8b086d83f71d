/** Connections that the kernel keeps while nobody accepts: as many as the configuration says. */
import { execFileSync } from 'node:child_process';
import { createServer } from 'node:net';
import { expect, test } from 'vitest';
import { listenOn } from '../../../agent-proxy/accept/listen-on.ts';
import { bindSocket } from '../../../agent-proxy/supervisor/sockets.ts';

/** Connects eight times, and says how many connections there are when no more have come for a while. */
const CALLER = `
  const { connect } = require('node:net');
  let connected = 0;
  let timer = setTimeout(done, 1000);
  function done() { console.log(connected); process.exit(0); }
  for (let count = 0; count < 8; count += 1) {
    connect(Number(process.argv[1]), '127.0.0.1').on('error', () => {}).once('connect', () => {
      connected += 1;
      clearTimeout(timer);
      timer = setTimeout(done, 300);
    });
  }
`;

test('is what was asked for, for a socket that the supervisor has bound', async () => {
  const { fd, port } = bindSocket('127.0.0.1', 0);
  // The socket is the server's from now on.
  const server = createServer();
  await listenOn(server, fd, 2);
  // This process accepts nothing meanwhile. Linux keeps one more than it is told.
  const connected = Number(execFileSync(process.execPath, ['-e', CALLER, String(port)], { encoding: 'utf8' }));
  expect(connected).toBe(3);
  server.close();
});
