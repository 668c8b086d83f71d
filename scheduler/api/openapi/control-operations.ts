/** The proxies' side: the contract of agent-proxy/control/contract.ts. For proxies alone. */
import {
  CONTROL_ENROLL_PATH,
  CONTROL_REPORT_PATH,
  CONTROL_SUBSCRIBE_PATH,
  CONTROL_WANT_PATH,
} from '../../../agent-proxy/control/wire-words.ts';
import { type Operation, refused } from './operation.ts';

const JSON_TYPES = ['application/json'];
const NOT_THE_PROXY = refused('the key of the proxy is missing or wrong');
const STARTING = refused('the scheduler is starting, or has too many sessions');
const NOT_UNDERSTOOD = refused('the body is not understood');

export const CONTROL_OPERATIONS: readonly Operation[] = [
  {
    ...{
      method: 'post',
      path: CONTROL_ENROLL_PATH,
      tag: 'proxies',
      summary: 'A proxy swaps the token of its launch for a key',
      needs: 'nothing',
    },
    body: { types: JSON_TYPES, schema: 'Enroll' },
    answers: {
      204: { what: 'enrolled' },
      400: NOT_UNDERSTOOD,
      401: refused('this is not the token of this task'),
      404: refused('no agent has this task (any more)'),
      409: refused('it has enrolled already, with another key'),
      503: STARTING,
    },
  },
  {
    ...{
      method: 'post',
      path: CONTROL_SUBSCRIBE_PATH,
      tag: 'proxies',
      summary: 'A stream of frames: hello, the table, and what changes',
      needs: 'proxy-key',
    },
    body: { types: JSON_TYPES, schema: 'Subscribe' },
    answers: {
      200: { what: 'frames, without end', type: 'application/octet-stream' },
      400: NOT_UNDERSTOOD,
      401: NOT_THE_PROXY,
      409: refused('this scheduler is not the leader any more'),
      503: STARTING,
    },
  },
  ...(
    [
      [CONTROL_REPORT_PATH, 'Report', 'What a proxy runs, what it carried, and how instances do'],
      [CONTROL_WANT_PATH, 'Want', 'The services whose endpoints the proxy wants'],
    ] as const
  ).map(
    ([path, schema, summary]): Operation => ({
      ...{ method: 'post', path, tag: 'proxies', summary, needs: 'proxy-key' },
      body: { types: JSON_TYPES, schema },
      answers: {
        204: { what: 'taken' },
        400: NOT_UNDERSTOOD,
        401: NOT_THE_PROXY,
        409: refused('this session is not known (any more): subscribe again'),
        503: STARTING,
      },
    }),
  ),
];
