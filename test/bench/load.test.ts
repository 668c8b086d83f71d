/** What is made of the load generators' output: samples of wrk 4.1.0 and h2load 1.52.0. */
import { expect, it } from 'vitest';
import { connectionsFor, h2loadCommand, parseH2load } from './load/h2load.mjs';
import { parseWrk, wrkCommand } from './load/wrk.mjs';

const WRK = `Running 2s test @ http://127.0.0.1:9777/
  1 threads and 64 connections
  152181 requests in 2.00s, 23.37MB read
  Non-2xx or 3xx responses: 3
Requests/sec:  75963.68

{"requests":152181,"durationUs":2003339,"failed":2,"status":3,"p50Us":792,"p99Us":1276,"p999Us":3623}
`;

const H2LOAD = `starting benchmark...
finished in 2.01s, 5050.00 req/s, 793.99KB/s
requests: 4 total, 4 started, 4 done, 3 succeeded, 1 failed, 0 errored, 0 timeout
`;

it("wrk's counts are read from the line that our script writes", () => {
  expect(parseWrk(WRK)).toEqual({
    requests: 152_181,
    seconds: 2.003339,
    errors: 5,
    p50Ms: 0.792,
    p99Ms: 1.276,
    p999Ms: 3.623,
  });
});

it('wrk that could not connect is an error that quotes it', () => {
  expect(() => parseWrk('unable to connect to 127.0.0.1:1 Connection refused\n')).toThrow('unable to connect');
});

it("h2load's percentiles are those of its log, and what is neither 2xx nor 3xx is an error", () => {
  const log = '1795630551278911\t200\t1500\n1795630551278918\t200\t500\n1795630551278924\t-1\t4000\n1\t503\t2000\n';
  expect(parseH2load(H2LOAD, log, 10)).toEqual({
    requests: 4,
    seconds: 2.01,
    errors: 2,
    p50Ms: 1.5,
    p99Ms: 4,
    p999Ms: 4,
  });
});

it('an answer that takes longer than the time between two requests counts for those that waited', () => {
  const { requests, p50Ms } = parseH2load(H2LOAD, '1\t200\t1000\n2\t200\t40000\n', 10);
  expect({ requests, p50Ms }).toEqual({ requests: 2, p50Ms: 20 });
});

it('a connection sends at most 100 requests a second, so there are more of them at higher rates', () => {
  expect(connectionsFor(1000, 64)).toBe(64);
  expect(connectionsFor(12_345, 64)).toBe(124);
});

it('the commands say what is asked for', () => {
  const load = { host: 'web', path: '/', connections: 64, seconds: 5 };
  const rate = h2loadCommand({ ...load, port: 4140, rate: 6400, logFile: '/tmp/log' });
  expect(rate).toEqual(expect.arrayContaining(['--h1', '--clients=64', '--rps=100.000', '--requests=32000']));
  // Connections are opened at the rate of the requests, so that these come one by one.
  expect(rate).toEqual(expect.arrayContaining(['--rate=7', '--rate-period=1ms']));
  const words = ['services=1000'];
  const most = wrkCommand({ ...load, url: 'http://127.0.0.1:4140/', close: true, words }).join(' ');
  expect(most).toContain('-c 64 -d 5s');
  expect(most).toContain('-H Host: web -H Connection: close');
  expect(most).toMatch(/http:\/\/127\.0\.0\.1:4140\/ -- services=1000$/);
});
