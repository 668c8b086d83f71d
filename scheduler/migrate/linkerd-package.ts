/** The options of linkerd's package in the Universe (`{"linkerd": {…}}`), as an options file of DC/OS has them. */
import { isRecord } from '../../agent-proxy/config/schema/keys.ts';
import { tellPublicListeners } from './app-placement.ts';
import { type Draft, isEmpty, wholeNumber } from './draft.ts';
import { marathonUrl } from './namers.ts';
import { moveCpus, moveMem, tellDisk } from './resources.ts';

const PORTS = {
  'admin-port': 'proxies.admin_port',
  'internal-port': 'proxies.incoming_port',
  'routing-port': 'proxies.outgoing_port',
} as const;

/** @throws {Error} for people, where that is no options file of linkerd's package */
export function movePackageOptions(options: unknown, draft: Draft): void {
  if (!isRecord(options) || !isRecord(options['linkerd'])) {
    throw new Error(
      'this is no options file of linkerd\'s package: it has no block "linkerd". Give the file that linkerd was installed with',
    );
  }
  const { linkerd, ...others } = options;
  const place = 'linkerd';
  for (const [key, value] of Object.entries(linkerd)) {
    if (isPort(key)) movePort(key, value, `${place}.${key}`, draft);
    else if (key === 'instances') draft.leftOut(`${place}.instances`, value, COUNTED_BY_NOBODY);
    else if (key === 'cpus') moveCpus(value, `${place}.cpus`, draft);
    else if (key === 'mem') moveMem(value, `${place}.mem`, draft);
    else if (key === 'secret_name') moveSecret(value, `${place}.secret_name`, draft);
    else if (!key.startsWith('marathon-')) {
      draft.notUnderstood(`${place}.${key}`, value, "linkerd's package (1.4.6) has no such option");
    }
  }
  moveMarathon(linkerd, place, draft);
  tellDisk('linkerd.disk (not set)', 0, draft);
  tellPublicListeners('linkerd on public agents (not set)', draft);
  for (const [key, value] of Object.entries(others)) {
    draft.notUnderstood(key, value, "linkerd's package has one group of options, linkerd");
  }
}

export const COUNTED_BY_NOBODY =
  'every agent gets a proxy, one that joins too: nobody counts. proxies.constraints says where there is to be none';

const isPort = (key: string): key is keyof typeof PORTS => Object.hasOwn(PORTS, key);

function movePort(key: keyof typeof PORTS, value: unknown, place: string, draft: Draft): void {
  const port = wholeNumber(value, 1, 65_535);
  if (port === null) {
    draft.notUnderstood(place, value, `it has to be a port from 1 on: set ${PORTS[key]}`);
    return;
  }
  draft.set(PORTS[key], port);
  draft.taken(place, value, PORTS[key]);
}

function moveSecret(value: unknown, place: string, draft: Draft): void {
  if (isEmpty(value)) {
    draft.taken(place, value, 'service.service_account_secret', 'no login, as before');
    return;
  }
  moveAccountSecret(String(value), place, draft);
}

const SECRET_PATHS = 'a secret is named by letters, digits and _ . / - only: name it in the options';

export const isSecretPath = (secret: string): boolean => /^[A-Za-z0-9_./-]{1,256}$/.test(secret);

/** A scheduler needs more rights than a proxy that reads Marathon. */
export function moveAccountSecret(secret: string, place: string, draft: Draft): void {
  if (!isSecretPath(secret)) {
    draft.notUnderstood(place, secret, SECRET_PATHS);
    return;
  }
  draft.set('service.service_account_secret', secret);
  draft.changed(
    place,
    secret,
    'service.service_account_secret',
    'set service.service_account to the uid of the same account, and grant it what nodemesh permissions --strict prints: ' +
      "linkerd's account may read Marathon, and a framework needs more; an account of its own is better",
  );
}

function moveMarathon(linkerd: Readonly<Record<string, unknown>>, place: string, draft: Draft): void {
  const set = Object.entries(linkerd).filter(([key]) => key.startsWith('marathon-'));
  if (set.length === 0) {
    draft.taken(
      `${place}.marathon-host (not set)`,
      'leader.mesos:8080',
      'discovery.marathons',
      "the default of the package, http://marathon.mesos:8080, is the same Marathon as linkerd's",
    );
    return;
  }
  const host = linkerd['marathon-host'] ?? 'leader.mesos';
  const port = linkerd['marathon-port'] ?? 8080;
  const prefix = linkerd['marathon-uri-prefix'] ?? '';
  const number = wholeNumber(port, 1, 65_535);
  // As DC/OS has it: AdminRouter's 443, and Marathon's own 8443.
  const encrypted = number === 443 || number === 8443;
  const url = typeof host === 'string' && number !== null ? marathonUrl(host, number, String(prefix), encrypted) : null;
  const isUsable = url !== null && URL.canParse(url) && !/["\\\s<>{}|^`]/.test(url);
  if (isUsable) draft.set('discovery.marathons', [url]);
  for (const [key, value] of set) {
    const own = `${place}.${key}`;
    if (!['marathon-host', 'marathon-port', 'marathon-uri-prefix'].includes(key)) {
      draft.notUnderstood(own, value, "linkerd's package (1.4.6) has no such option");
    } else if (!isUsable) draft.notUnderstood(own, value, 'this makes no URL: set discovery.marathons');
    else if (encrypted && key === 'marathon-port') {
      draft.changed(
        own,
        value,
        'discovery.marathons',
        `${url}: with TLS, so name its CA in tls.ca_file (Enterprise: .ssl/ca-bundle.crt)`,
      );
    } else draft.taken(own, value, `discovery.marathons: ${url}`);
  }
}
