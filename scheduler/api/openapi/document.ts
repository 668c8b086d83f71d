/** The API as an OpenAPI 3.1 document: docs/openapi.json, and `GET /v1/openapi.json`. Pure. */
import { z } from 'zod';
import { ANSWERS } from './answers.ts';
import { BODIES } from './bodies.ts';
import { CONTROL_OPERATIONS } from './control-operations.ts';
import { NAMERD_OPERATIONS } from './namerd-operations.ts';
import type { Answer, Operation } from './operation.ts';
import { POLICY_OPERATIONS } from './policy-operations.ts';
import { STATE_OPERATIONS } from './state-operations.ts';

/** All that is served. A route that is not here fails test/scheduler/api/openapi.test.ts. */
export const OPERATIONS: readonly Operation[] = [
  ...STATE_OPERATIONS,
  ...POLICY_OPERATIONS,
  ...NAMERD_OPERATIONS,
  ...CONTROL_OPERATIONS,
];

const DESCRIPTION = `Reads are open. Off loopback a write needs the API token as a bearer or, on DC/OS (\`--admin-router\`), the token
of a user who may use the service. Where the scheduler is reached through DC/OS' Admin
Router, all paths begin with \`/service/<name>\`. A key that is new may come to any answer.`;

export function openApiDocument(version: string): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const operation of OPERATIONS) {
    const at = paths[operation.path] ?? {};
    at[operation.method] = operationJson(operation);
    paths[operation.path] = at;
  }
  return {
    openapi: '3.1.0',
    info: { title: 'The API of the nodemesh scheduler', version, description: DESCRIPTION },
    jsonSchemaDialect: 'https://json-schema.org/draft/2020-12/schema',
    paths,
    components: {
      schemas: { ...schemasOf(ANSWERS, 'output'), ...schemasOf(BODIES, 'input') },
      securitySchemes: {
        apiToken: { type: 'http', scheme: 'bearer', description: 'that of --api-token-file' },
        dcosToken: { type: 'apiKey', in: 'header', name: 'authorization', description: '`token=<jwt>`, of DC/OS' },
        proxyKey: { type: 'http', scheme: 'bearer', description: 'the key that a proxy has made at its enrolment' },
      },
    },
  };
}

function operationJson(operation: Operation): object {
  const { method, path, tag, summary, query = {}, headers = {}, body, answers, needs } = operation;
  const isWrite = method === 'post' || method === 'put' || method === 'delete';
  const keys = needs === 'proxy-key' ? ['proxyKey'] : isWrite && needs !== 'nothing' ? ['apiToken', 'dcosToken'] : [];
  const parameters = [
    ...[...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => ({ name, in: 'path', required: true, schema: TEXT })),
    ...Object.entries(query).map(([name, description]) => ({ name, in: 'query', description, schema: TEXT })),
    ...Object.entries(headers).map(([name, description]) => ({ name, in: 'header', description, schema: TEXT })),
  ];
  return {
    operationId: `${method}${path.replace(/[^A-Za-z0-9]+(\w?)/g, (_, letter: string) => letter.toUpperCase())}`,
    tags: [tag],
    summary,
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(body === undefined ? {} : { requestBody: { content: contentOf(body.types, body.schema) } }),
    responses: Object.fromEntries(Object.entries(answers).map(([status, answer]) => [status, answerJson(answer)])),
    ...(keys.length === 0 ? {} : { security: keys.map((key) => ({ [key]: [] })) }),
  };
}

const TEXT = { type: 'string' };

function answerJson({ what, schema, type }: Answer): object {
  if (schema === undefined && type === undefined) return { description: what };
  return { description: what, content: contentOf([type ?? 'application/json'], schema) };
}

function contentOf(types: readonly string[], schema: string | undefined): object {
  const referred = schema === undefined ? {} : { schema: { $ref: refTo(schema) } };
  const plain = { schema: TEXT };
  // A dtab as text is no JSON.
  return Object.fromEntries(types.map((type) => [type, type === 'application/json' ? referred : plain]));
}

const refTo = (name: string): string => `#/components/schemas/${name}`;

function schemasOf(named: Readonly<Record<string, z.ZodType>>, io: 'input' | 'output'): object {
  const registry = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries(named)) registry.add(schema, { id });
  const { schemas } = z.toJSONSchema(registry, {
    io,
    uri: refTo,
    // What is checked by code alone can be anything here.
    unrepresentable: 'any',
    override: ({ jsonSchema }) => {
      // A client must not break on a key that is new.
      if (io === 'output' && jsonSchema.additionalProperties === false) delete jsonSchema.additionalProperties;
    },
  });
  return Object.fromEntries(
    Object.entries(schemas).map(([name, { $schema: _schema, $id: _id, ...schema }]) => [name, schema]),
  );
}
