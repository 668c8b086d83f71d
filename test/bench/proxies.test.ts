/** The configurations that the proxies get. */
import { expect, it } from 'vitest';
import { parseConfig } from '../../agent-proxy/config/load.ts';
import { parseOptions } from './options.mjs';
import { configurationsOf } from './print-configs.mjs';
import { PROXIES, proxiesNamed } from './proxies/index.mjs';
import { nodemesh, nodemeshFeatures, nodemeshRoundRobin } from './proxies/nodemesh.mjs';
import { substitute } from './proxies/template.mjs';
import { SCENARIOS } from './scenarios.mjs';
import { servicesOf } from './topology.mjs';

const SITE = { port: 4140, adminPort: 9990, directory: '/tmp/site', dist: '/dist' };
const SIZES = [
  { services: 1, endpoints: 1 },
  { services: 1000, endpoints: 5 },
];

for (const proxy of [nodemesh, nodemeshFeatures, nodemeshRoundRobin]) {
  it.each(SIZES)(`${proxy.name} accepts what it gets for $services × $endpoints endpoints`, (size) => {
    const [file] = proxy.plan({ ...SITE, services: servicesOf(size) }).files;
    const { config, warnings } = parseConfig(file?.text ?? '', 'linkerd.yaml');
    expect(warnings).toEqual([]);
    expect(config.routers).toHaveLength(1);
  });
}

it('every endpoint has an address of its own', () => {
  const endpoints = servicesOf({ services: 1000, endpoints: 5 }).flatMap((service) => service.endpoints);
  expect(new Set(endpoints.map(({ address }) => address)).size).toBe(5000);
  expect(endpoints.every(({ address }) => /^127(\.\d{1,3}){3}$/.test(address))).toBe(true);
});

it('a value of several lines is indented as its place is, and a place without a value is an error', () => {
  expect(substitute('a\n  <list>;\nb', { list: 'x\ny' })).toBe('a\n  x\n  y;\nb');
  expect(() => substitute('<port>', {})).toThrow('<port>');
});

it('all configurations are shown', () => {
  const text = configurationsOf(PROXIES, '/dist');
  for (const { name } of PROXIES) expect(text).toContain(`=== ${name}: `);
  expect(text).toContain('nbthread 1');
  expect(text).toContain('http-reuse always');
  expect(text.match(/^ {2}http-request set-header/gm)).toHaveLength(5);
  expect(text).not.toMatch(/<\w+>/);
});

it('the forwarder takes part only where it is named', () => {
  expect(proxiesNamed(null)).toBe(PROXIES);
  expect(proxiesNamed(['forwarder', 'nodemesh']).map(({ name }) => name)).toEqual(['nodemesh', 'forwarder']);
  expect(configurationsOf(proxiesNamed(['forwarder']), '/dist')).toContain('127.101.0.1 18080');
});

it('without options the short scenarios are measured, three rounds of five seconds', () => {
  const { scenarios, rounds, seconds, json } = parseOptions([]);
  expect({ rounds, seconds, json }).toEqual({ rounds: 3, seconds: 5, json: false });
  expect(scenarios.map(({ name }) => name)).toEqual(['keepalive-64', 'p99-half-rate']);
});

it('scenarios are picked by name', () => {
  const words = ['--scenario', 'soak,services-1', '--rounds', '2', '--seconds', '10', '--json'];
  expect(parseOptions(words)).toMatchObject({ rounds: 2, seconds: 10, json: true });
  expect(parseOptions(words).scenarios.map(({ name }) => name)).toEqual(['soak', 'services-1']);
  expect(parseOptions(['--scenario', 'all']).scenarios).toEqual(SCENARIOS);
});

it.each([['--scenario', 'fast'], ['--rounds', '0'], ['--seconds', 'ten'], ['--fast']])(
  '%s %s is refused with exit code 2',
  (...words) => {
    expect(() => parseOptions(words)).toThrow(expect.objectContaining({ exitCode: 2 }));
  },
);
