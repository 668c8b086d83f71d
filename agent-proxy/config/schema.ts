/**
 * The first version of linkerd.yaml's schema: what a proxy without a scheduler reads. Strict: an unknown key, or a
 * value of linkerd's that is not supported yet, is refused by name and never ignored.
 */
import { isIP } from 'node:net';
import { z } from 'zod';
import { parsePrefixRules } from '../routing/prefix-rules.ts';

const LOOPBACK = '127.0.0.1';

const ip = z.string().refine((text) => isIP(text) !== 0, 'is not an IP address');
const port = z.number().int().min(0).max(65_535);

const dtab = z.string().transform((text, context) => {
  try {
    return parsePrefixRules(text);
  } catch (error) {
    context.addIssue({ code: 'custom', message: error instanceof Error ? error.message : String(error) });
    return z.NEVER;
  }
});

const serverSchema = z.strictObject({
  /** As in linkerd: loopback unless something else is written. */
  ip: ip.default(LOOPBACK),
  port: port.default(4140),
});

const routerSchema = z.strictObject({
  protocol: z.literal('http', { error: "only protocol 'http' is supported yet" }),
  /** Unique; the protocol's name unless something else is written. */
  label: z
    .string()
    .regex(/^[A-Za-z0-9_.-]{1,64}$/, 'is 1 to 64 of A-Z a-z 0-9 _ . -')
    .default('http'),
  dtab: dtab.default([]),
  servers: z
    .array(serverSchema)
    .min(1)
    .default([{ ip: LOOPBACK, port: 4140 }]),
});

export const configSchema = z
  .strictObject({
    admin: z.strictObject({ ip: ip.default(LOOPBACK), port: port.default(9990) }).default({ ip: LOOPBACK, port: 9990 }),
    routers: z.array(routerSchema).min(1, 'at least one router is needed'),
  })
  .superRefine((config, context) => {
    const labels = new Set<string>();
    const taken = new Map<string, string>([[`${config.admin.ip}:${config.admin.port}`, 'admin']]);
    config.routers.forEach((router, index) => {
      if (labels.has(router.label)) {
        context.addIssue({
          code: 'custom',
          path: ['routers', index, 'label'],
          message: `'${router.label}' is used twice`,
        });
      }
      labels.add(router.label);
      router.servers.forEach((server, at) => {
        const address = `${server.ip}:${server.port}`;
        const owner = taken.get(address);
        if (owner !== undefined && server.port !== 0) {
          const path = ['routers', index, 'servers', at];
          context.addIssue({ code: 'custom', path, message: `${address} is already used by ${owner}` });
        }
        taken.set(address, `router ${router.label}`);
      });
    });
  });

export type ProxyConfig = z.infer<typeof configSchema>;
