/** A stand-in for Marathon: apps with tasks on the agents of the bench, and an event stream. It changes one task when told. */
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { agentIdOf, ipOf } from './agents.ts';
import { type FromMarathon, nowMs, type ToMarathon } from './messages.ts';

export function runMarathon(apps: number, tasksOfEach: number, agents: number): void {
  const streams = new Set<ServerResponse>();
  /** The task that was put in the place of an app's first one, by app. */
  const changed = new Map<number, number>();
  const say = (message: FromMarathon): void => {
    // Nobody may be there any more: this process ends then, too.
    process.send?.(message, undefined, undefined, () => undefined);
  };

  const appOf = (index: number): object => ({
    id: `/team/app-${index}`,
    networks: [{ mode: 'host' }],
    portDefinitions: [{ name: 'http' }],
    healthChecks: [{ protocol: 'HTTP' }],
    labels: {},
    tasks: Array.from({ length: tasksOfEach }, (_, task) => {
      const agent = (index * tasksOfEach + task) % agents;
      const change = task === 0 ? changed.get(index) : undefined;
      return {
        id: change === undefined ? `app-${index}.task-${task}` : `app-${index}.change-${change}.`,
        slaveId: agentIdOf(agent),
        host: ipOf(agent),
        ports: [20_000 + (index % 10_000)],
        state: 'TASK_RUNNING',
        healthCheckResults: [{ alive: true }],
      };
    }),
  });

  const server = createServer((request, response) => {
    const path = (request.url ?? '/').split('?', 1)[0] ?? '/';
    if (path === '/v2/events') {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      streams.add(response);
      response.on('close', () => streams.delete(response));
      response.write(eventOf('event_stream_attached', { remoteAddress: '127.0.0.1' }));
      return;
    }
    const [, index] = /^\/v2\/apps\/team\/app-(\d+)$/.exec(path) ?? [];
    const body =
      index === undefined
        ? path === '/v2/apps'
          ? { apps: Array.from({ length: apps }, (_, each) => appOf(each)) }
          : null
        : { app: appOf(Number(index)) };
    response.writeHead(body === null ? 404 : 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(body ?? { message: 'not here' }));
  });

  process.on('message', ({ change }: ToMarathon) => {
    const index = (change * 37) % apps;
    changed.set(index, change);
    const event = eventOf('status_update_event', { appId: `/team/app-${index}`, taskStatus: 'TASK_RUNNING' });
    const at = nowMs();
    for (const stream of streams) stream.write(event);
    say({ kind: 'written', change, at });
  });
  process.on('disconnect', () => process.exit());
  server.listen(0, '127.0.0.1', () => say({ kind: 'listening', port: (server.address() as AddressInfo).port }));
}

function eventOf(type: string, body: object): string {
  return `event: ${type}\r\ndata: ${JSON.stringify({ eventType: type, ...body })}\r\n\r\n`;
}
