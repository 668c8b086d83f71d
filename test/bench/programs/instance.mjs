/**
 * One instance of a service: waits, computes, answers, and counts.
 * `node instance.mjs ADDRESS PORT DELAY_MS WORK_MS`; GET /count answers how many other requests there were.
 */
import { createServer } from 'node:http';

const [, , address = '', port = '', delay = '0', work = '0'] = process.argv;
const [delayMs, workMs] = [Number(delay), Number(work)];
let count = 0;

const server = createServer((request, response) => {
  request.resume();
  if (request.url === '/count') {
    response.end(String(count));
    return;
  }
  count += 1;
  if (delayMs === 0) answer(response);
  else setTimeout(answer, delayMs, response);
});
server.keepAliveTimeout = 60_000;
server.listen(Number(port), address, 4096);

/** @param {import('node:http').ServerResponse} response */
function answer(response) {
  const until = performance.now() + workMs;
  while (performance.now() < until);
  response.end('hello, world\n');
}
