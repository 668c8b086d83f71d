/** `/v2/info`: who this Marathon is, in the shape of a real one's answer; only what is true here. */

/** The version whose API this is modelled on. */
const MARATHON_VERSION = '1.11.0';

export interface InfoFacts {
  readonly address: string;
  readonly frameworkId: string | null;
  readonly user: string;
}

export function infoView({ address, frameworkId, user }: InfoFacts): Record<string, unknown> {
  return {
    name: 'marathon',
    version: MARATHON_VERSION,
    buildref: 'nodemesh-local',
    elected: true,
    leader: address,
    ...(frameworkId === null ? {} : { frameworkId }),
    marathon_config: {
      checkpoint: true,
      decline_offer_duration: 120_000,
      failover_timeout: 604_800,
      features: [],
      framework_name: 'marathon',
      ha: false,
      hostname: address.slice(0, address.lastIndexOf(':')),
      local_port_min: 10_000,
      local_port_max: 20_000,
      mesos_role: 'slave_public',
      mesos_user: user,
      min_revive_offers_interval: 5_000,
      reconciliation_interval: 600_000,
      task_lost_expunge_interval: 30_000,
      webui_url: `http://${address}`,
    },
    http_config: { http_port: Number(address.slice(address.lastIndexOf(':') + 1)), https_port: null },
  };
}
