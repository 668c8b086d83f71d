/** A master on a real socket for one test, and what counts of its answers. */
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished } from 'vitest';
import { createMasterHttp, type Standing } from '../../../local-cluster/master/http.ts';
import { answers, exchange, fitted } from './raw-http.ts';
import { parseResponse, type RecordedResponse, rawRequest, recordedResponse } from './recordings.ts';
import { anonymous } from './shape.ts';

/** Returns the port; closed when the test is over. */
export async function serve(standing: () => Standing): Promise<number> {
  const server: Server = createMasterHttp(standing);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return (server.address() as AddressInfo).port;
}

/** What counts of an answer: dates, ids and lengths that follow from ids do not. */
export function essence({ status, headers, body }: RecordedResponse, chunked: boolean): unknown {
  const { date: _date, 'content-length': length, 'mesos-stream-id': stream, ...rest } = headers;
  return {
    status,
    headers: { ...rest, ...(stream === undefined ? {} : { 'mesos-stream-id': '<id>' }) },
    hasLength: length !== undefined,
    body: chunked ? 'stream' : anonymous(body),
  };
}

/** Sends a recorded request, with other ids in it, and expects the recorded answer. */
export async function expectSameAnswer(
  port: number,
  name: string,
  exchangeName: string,
  translate: (text: string) => string = (text) => text,
): Promise<void> {
  const got = await exchange(port, fitted(translate(rawRequest(name, exchangeName))), answers(1));
  got.socket.destroy();
  expect({ exchangeName, ...(essence(parseResponse(got.text), false) as object) }).toEqual({
    exchangeName,
    ...(essence(recordedResponse(name, exchangeName), false) as object),
  });
}
