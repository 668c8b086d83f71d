/** Reports over real HTTP: what is taken, and every way in which one is refused. */
import { createServer, request, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Report } from '../../../agent-proxy/control/contract.ts';
import { CONTROL_REPORT_PATH, TASK_HEADER } from '../../../agent-proxy/control/wire-words.ts';
import { type ReportTaker, reportsFirst } from '../../../scheduler/api/control-reports.ts';

const REPORT = {
  ...{ session: 's1', agentId: 'S1', taskId: 't1', epoch: 1, revision: 2, configRevision: 1, digest: 'd' },
  ...{ version: '1', ready: true, reason: null, windowMs: 1_000, traffic: [], instances: [] },
  ...{ workerRestarts: 0, staleFrames: 0 },
};

let server: Server;
let plane: ReportTaker | null;
let taken: Report[];
let logged: unknown[];
/** What becomes of a report. */
let outcome: () => boolean;

beforeEach(async () => {
  taken = [];
  logged = [];
  outcome = () => true;
  plane = {
    keys: {
      mayBeAdmitted: (_task, bearer) => bearer === 'key',
      admits: ({ taskId }, bearer) => taskId === 't1' && bearer === 'key',
    },
    report: (report) => {
      taken.push(report);
      return outcome();
    },
  };
  server = createServer(
    reportsFirst({
      plane: () => plane,
      log: (error) => logged.push(error),
      others: (_request, response) => response.end('others'),
    }),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});

afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const port = (): number => (server.address() as AddressInfo).port;

interface Answer {
  readonly status: number;
  readonly error: string | null;
}

function post(body: string, { bearer = 'key', method = 'POST', path = CONTROL_REPORT_PATH } = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${bearer}`, [TASK_HEADER]: 't1' };
    request({ host: '127.0.0.1', port: port(), path, method, headers }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => {
        text += part;
      });
      response.on('end', () => {
        const error = text.startsWith('{') ? (JSON.parse(text) as { error: string }).error : text || null;
        resolve({ status: response.statusCode ?? 0, error });
      });
    })
      .on('error', reject)
      .end(body);
  });
}

describe('a report', () => {
  test('is taken', async () => {
    expect(await post(JSON.stringify(REPORT))).toEqual({ status: 204, error: null });
    expect(taken).toMatchObject([{ taskId: 't1', revision: 2 }]);
  });

  test('is taken in pieces, with a letter split between two of them, and the next one on the same connection', async () => {
    const body = Buffer.from(JSON.stringify({ ...REPORT, ready: false, reason: 'it is said: ä' }));
    const cut = body.indexOf('ä') + 1;
    const head = `POST ${CONTROL_REPORT_PATH} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer key\r\nContent-Length: ${body.length}\r\n\r\n`;
    const socket = connect(port(), '127.0.0.1');
    let answers = '';
    socket.setEncoding('latin1').on('data', (part: string) => {
      answers += part;
    });
    socket.write(head);
    socket.write(body.subarray(0, cut));
    // What was written first is read first: the server has the piece before it has this answer's question.
    await post(JSON.stringify(REPORT));
    socket.write(body.subarray(cut));
    socket.write(Buffer.concat([Buffer.from(head), body]));
    while (answers.split('204 No Content').length < 3) await new Promise((resolve) => socket.once('data', resolve));
    socket.destroy();
    expect(taken.map(({ reason }) => reason)).toEqual([null, 'it is said: ä', 'it is said: ä']);
  });

  test('of a session that is over is 409', async () => {
    outcome = () => false;
    expect(await post(JSON.stringify(REPORT))).toMatchObject({
      status: 409,
      error: expect.stringContaining('subscribe'),
    });
  });

  test.each([
    ['no JSON', '{"session":'],
    ['nothing', ''],
    ['another message', '{"type":"hello"}'],
  ])('that is %s is 400', async (_what, body) => {
    expect(await post(body)).toMatchObject({ status: 400, error: expect.stringContaining('not a report') });
    expect(taken).toEqual([]);
  });

  test('without the key is 401, and so is one that speaks for another', async () => {
    expect(await post(JSON.stringify(REPORT), { bearer: 'wrong' })).toMatchObject({ status: 401 });
    expect(await post(JSON.stringify({ ...REPORT, taskId: 't2' }))).toMatchObject({ status: 401 });
    expect(taken).toEqual([]);
  });

  test('over 8 MB is 413, and none of it is kept', async () => {
    const error = expect.stringContaining('8388608 bytes');
    expect(await post('x'.repeat(8 * 1024 * 1024 + 1))).toEqual({ status: 413, error });
  });

  test('before this scheduler leads is 503', async () => {
    plane = null;
    expect(await post(JSON.stringify(REPORT))).toMatchObject({ status: 503, error: 'the scheduler is starting' });
  });

  test('that a fault meets is 500, and only the log says more', async () => {
    outcome = () => {
      throw new Error('secret');
    };
    expect(await post(JSON.stringify(REPORT))).toEqual({
      status: 500,
      error: 'something went wrong; the log says what',
    });
    expect(logged).toMatchObject([{ message: 'secret' }]);
  });
});

test('all else goes on', async () => {
  expect(await post('', { method: 'GET' })).toEqual({ status: 200, error: 'others' });
  expect(await post('', { path: '/v1/health' })).toEqual({ status: 200, error: 'others' });
});
