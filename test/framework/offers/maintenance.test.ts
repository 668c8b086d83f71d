import { describe, expect, test } from 'vitest';
import { inverseOfferSchema } from '../../../framework/mesos-http-client/messages.ts';
import { Story } from '../story.ts';

function serving(): { story: Story; task: string } {
  const story = new Story();
  story.send.subscribed();
  const task = story.served('a');
  story.forgetCalls();
  return { story, task };
}

const HOUR = 3_600_000;
function inverse(story: Story, id: string, startsIn: number): void {
  const start = { nanoseconds: (story.now + startsIn) * 1e6 };
  const unavailability = { start, duration: { nanoseconds: HOUR * 1e6 } };
  const offer = inverseOfferSchema.parse({
    id: { value: id },
    framework_id: { value: 'f-1' },
    agent_id: { value: 'a' },
    unavailability,
  });
  story.event({ type: 'inverse-offers', offers: [offer] });
}
const rescind = (story: Story, id: string): void => {
  story.event({ type: 'inverse-offer-rescinded', offerId: id as never });
};

describe('maintenance', () => {
  test('O17: an inverse offer is accepted; the task is kept until the machine goes, and is back when the machine is', () => {
    const { story, task } = serving();
    inverse(story, 'i-1', 60_000);
    expect(story.takeCalls('ACCEPT_INVERSE_OFFERS')).toMatchObject([
      { accept_inverse_offers: { inverse_offer_ids: [{ value: 'i-1' }] } },
    ]);
    story.after(59_000);
    story.expects.killed();
    story.expects.node('a', 'healthy');
    story.after(1_000);
    story.expects.killed(task);
    story.expects.node('a', 'draining', /goes into maintenance; the task is told to end/);
    story.send.update(task, 'TASK_KILLED');
    story.expects.node('a', 'draining', /In maintenance since/);
    story.after(HOUR - 1_000);
    story.expects.revived(0);
    story.after(1_000);
    story.expects.revived(1);
    story.send.offer('a');
    story.expects.launched('a');
    expect(story.disk.get('a')?.failures).toBe(0);
  });

  test('O16: an offer of a machine that is away is declined', () => {
    const { story, task } = serving();
    inverse(story, 'i-1', 0);
    story.send.update(task, 'TASK_KILLED');
    story.send.offer('a', { unavailableFrom: story.now - 1_000, unavailableFor: HOUR });
    story.expects.nothingLaunched();
    story.expects.declined(60);
  });

  test('that is called off leaves the task alone, though an offer had spoken of it too', () => {
    const { story } = serving();
    inverse(story, 'i-1', 60_000);
    story.send.offer('a', { unavailableFrom: story.now + 60_000, unavailableFor: HOUR });
    rescind(story, 'i-1');
    story.after(2 * HOUR);
    story.expects.killed();
  });

  test('Every change of the maintenance schedule re-sends offers on all agents: no storm follows', () => {
    const { story } = serving();
    story.served('b');
    story.after(10_000);
    story.forgetCalls();
    for (const round of [1, 2, 3]) {
      story.send.offer('a', { unavailableFrom: story.now + HOUR });
      story.send.offer('b');
      inverse(story, `i-${round}`, HOUR);
      rescind(story, `i-${round}`);
      story.send.offer('a');
    }
    story.after(60_000);
    story.expects.declined(...Array.from({ length: 9 }, () => 3600));
    story.expects.revived(0);
    story.expects.killed();
  });
});

test('O23: an offer that names no role is declined, and the node says why', () => {
  const story = new Story();
  story.send.subscribed();
  const { allocation_info: _none, ...offer } = story.offer('a', {});
  story.event({ type: 'offers', offers: [offer] });
  story.expects.nothingLaunched();
  story.expects.declined(5);
  story.expects.node('a', 'pending', /the master does not say for which role/);
});
