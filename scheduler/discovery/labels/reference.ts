/** The page docs/labels.md, from the tables of labels. Pure. */
import { type LabelKeyName, labelKey, labelKeyNames } from './keys.ts';
import { NOT_UNDERSTOOD, UNDERSTOOD } from './marathon-lb.ts';

const INTRODUCTION = `# Labels of apps

<!-- Made from the tables in scheduler/discovery/labels/ by its reference.ts. Do not edit. -->

Labels on a Marathon app or pod say how the mesh treats it. A change of them holds in every proxy as soon as Marathon tells of it; nothing
is restarted, and requests on their way finish.

- \`NODEMESH_<KEY>\` holds for all ports of the app, \`NODEMESH_<n>_<KEY>\` for its port \`n\`, counted from 0 in \`portDefinitions\`,
  \`portMappings\`, or the \`endpoints\` of a pod's containers one after the other. What a port says is laid over what the app says.
- Times are \`500ms\`, \`2s\`, \`5m\`, \`1h\`; shares are \`20%\`. Kinds are linkerd's, with or without their \`io.l5d.\` in front, in any case;
  the keys behind them are those of [the configuration](configuration.md), as \`key=value\`.
- A label that is not understood is ignored, and \`GET /v1/services\` says why, in \`labels\` of its service; \`settings\` there is what the
  proxies are told. It never costs the app its other labels.

\`\`\`json
{
  "id": "/shop/cart",
  "labels": {
    "NODEMESH_TIMEOUT": "5s",
    "NODEMESH_ATTEMPT_TIMEOUT": "500ms",
    "NODEMESH_CLASSIFIER": "retryableRead5XX",
    "NODEMESH_1_ATTEMPT_TIMEOUT": "10s",
    "NODEMESH_EXPOSE": "www.example.com/cart"
  },
  "portDefinitions": [{ "name": "http", "labels": { "VIP_0": "/cart:80" } }, { "name": "admin" }]
}
\`\`\`
`;

const HOW = `## How they are applied

What a label says of clients and services is laid over the router's own configuration, in the outgoing and in the incoming router; what it
does not say stays as configured. The client of an app is made anew when its parameters change, so it opens new connections.

Parameters of a service (timeout, retries, budget, classifier) belong to a name, and a name is not an app: they hold for the requests by a
name as long as it leads to one app alone. While a dtab splits a name between two apps, the router's own configuration holds for it.
Without an index in front the port that a name reaches is the first.

\`NODEMESH_RETRIES\` says how often, the classifier says what: by default only a request that reached no instance is sent again.
`;

const LB = `## Labels of marathon-lb

An app with \`HAPROXY_0_VHOST\` is served by the edge router of public agents, if its group is one of the scheduler's \`--edge-groups\`
(\`external,-\`: the group \`external\`, and apps that name no group at all; \`*\`: every app). Two apps that claim one host and path: the one
that was configured first has it, then the first by id; the other is told so in \`labels\`.
`;

const LB_NOT = `All others do nothing here, and are listed in \`labels\` of their service:
`;

const VIPS = `## VIPs

A label \`VIP_0: /web:80\` on a port (\`portDefinitions[].labels\`, \`portMappings[].labels\`, \`endpoints[].labels\`) gives it the name
\`web.marathon.l4lb.thisdcos.directory\`, for requests that come to the proxy. Slashes within a name are left out, as DC/OS does. A VIP that is an
address is not served. Of two apps with the same VIP the one that was configured first has it; in DC/OS both would share it.
`;

export function labelsReference(): string {
  const keys = table(['label', 'value', 'example', 'without it', 'what', 'becomes'], labelKeyNames().map(keyRow));
  const understood = Object.entries(UNDERSTOOD).map(([key, help]) => [lbLabels(key), help]);
  const others = Object.entries(NOT_UNDERSTOOD).map(([key, instead]) => [lbLabels(key), instead]);
  return [
    INTRODUCTION,
    `## Keys\n\n${keys}`,
    HOW,
    `${LB}\n${table(['label', 'what'], understood)}\n${LB_NOT}\n${table(['label', 'instead'], others)}`,
    VIPS,
  ].join('\n');
}

function keyRow(name: LabelKeyName): string[] {
  const { of, written, example, otherwise, help, becomes } = labelKey(name);
  const also = of === 'port' ? `, ${code(`NODEMESH_n_${name}`)}` : '';
  return [code(`NODEMESH_${name}`) + also, written, code(example), otherwise, help, becomes];
}

function lbLabels(key: string): string {
  if (key === 'GROUP') return `${code('HAPROXY_GROUP')}, ${code('HAPROXY_n_GROUP')}`;
  return code(key.startsWith('DEPLOYMENT_') ? `HAPROXY_${key}` : `HAPROXY_n_${key}`);
}

function code(text: string): string {
  return `\`${text}\``;
}

/** Columns are padded, so that the formatter leaves them as they are. */
function table(head: readonly string[], body: readonly (readonly string[])[]): string {
  const rows = [head, ...body].map((row) => row.map((cell) => cell.replaceAll('|', '\\|')));
  const widths = head.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  const [first = [], ...others] = rows;
  return `${[line(first), line(widths.map((width) => '-'.repeat(width))), ...others.map(line)].join('\n')}\n`;
}
