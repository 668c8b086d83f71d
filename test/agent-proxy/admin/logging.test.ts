import { expect, test } from 'vitest';
import { getJson, send, sendJson } from '../../fixtures/http.ts';
import { useAdmin } from './fake-host.ts';

async function useLogging() {
  let current = 'INFO';
  const url = await useAdmin({
    logging: {
      list: () => [{ logger: 'root', level: current }],
      set(logger, level) {
        if (logger !== 'root' || !['INFO', 'DEBUG'].includes(level)) return `there is no ${logger} ${level}`;
        current = level;
        return null;
      },
    },
  });
  return `${url}/logging.json`;
}

const FORM = { 'Content-Type': 'application/x-www-form-urlencoded' };

test('levels are listed, and set as JSON, by a form or in the query', async () => {
  const url = await useLogging();
  expect(await getJson(url)).toEqual([{ logger: 'root', level: 'INFO' }]);
  expect(await sendJson('POST', url, { logger: 'root', level: 'DEBUG' })).toMatchObject({ status: 200 });
  expect(await getJson(url)).toEqual([{ logger: 'root', level: 'DEBUG' }]);
  await send(url, { method: 'POST', headers: FORM, body: 'logger=root&level=INFO' });
  expect(await getJson(url)).toEqual([{ logger: 'root', level: 'INFO' }]);
  const answer = await send(`${url}?logger=root&level=DEBUG`, { method: 'POST' });
  expect(JSON.parse(answer.body)).toEqual([{ logger: 'root', level: 'DEBUG' }]);
});

test('an unknown level, an unknown logger and half a question are refused', async () => {
  const url = await useLogging();
  for (const body of [{ logger: 'root', level: 'LOUD' }, { logger: 'x', level: 'INFO' }, { logger: 'root' }, {}, 1]) {
    expect((await sendJson('POST', url, body)).status).toBe(400);
  }
  expect((await send(url, { method: 'POST', headers: FORM, body: 'level=INFO' })).status).toBe(400);
  expect((await send(url, { method: 'POST' })).status).toBe(400);
  expect(await getJson(url)).toEqual([{ logger: 'root', level: 'INFO' }]);
});
