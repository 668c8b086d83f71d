import { expect, test } from 'vitest';
import type { ListedAgent } from '../../framework/daemonset/events.ts';
import { eventsOf, partsOfList } from '../../framework/hearing.ts';
import { agentId, type Offer, offerSchema } from '../../framework/mesos-http-client/messages.ts';

const offer = (id: string, agent: string): Offer =>
  offerSchema.parse({
    id: { value: id },
    framework_id: { value: 'f' },
    agent_id: { value: agent },
    hostname: agent,
  });

const listed = (agent: string): ListedAgent => ({
  view: {
    agentId: agentId(agent),
    hostname: agent,
    ip: '10.0.0.1',
    port: 5051,
    isPublic: false,
    attributes: {},
    region: null,
    zone: null,
  },
  deactivated: false,
  ports: [],
  holdsOurs: null,
});

test('thousands of offers become portions, in which an agent stays whole', () => {
  const offers = [
    ...Array.from({ length: 150 }, (_, index) => offer(`x${index}`, `a${index}`)),
    ...Array.from({ length: 150 }, (_, index) => offer(`y${index}`, `a${index}`)),
  ];
  const events = eventsOf({ type: 'OFFERS', offers: { offers } });
  const portions = events.map((event) => (event.type === 'offers' ? event.offers : []));
  expect(portions.map((portion) => portion.length)).toEqual([100, 100, 100]);
  expect(new Set(portions.flat())).toEqual(new Set(offers));
  const whole = portions.map((portion) => new Set(portion.map((one) => one.agent_id.value)).size);
  expect(whole).toEqual([50, 50, 50]);
});

test('a few offers are one event', () => {
  const offers = [offer('o1', 'a')];
  expect(eventsOf({ type: 'OFFERS', offers: { offers } })).toEqual([{ type: 'offers', offers }]);
});

test('a long list comes in parts, and the last one knows of all', () => {
  const registered = Array.from({ length: 1_200 }, (_, index) => listed(`a${index}`));
  const parts = partsOfList({ type: 'agents', registered, recovered: [], askedAt: 7 });
  expect(parts.map((part) => part.type)).toEqual(['some-agents', 'some-agents', 'agents']);
  const last = parts.at(-1);
  if (last?.type !== 'agents') throw new Error('the last part ends the list');
  expect(last.askedAt).toBe(7);
  const all = [...(last.before ?? []), ...last.registered.map((one) => one.view.agentId)];
  expect(all).toEqual(registered.map((one) => one.view.agentId));
});
