/** The header in which an incoming router tells its peers what it thinks of an instance: `inflight=3; health=0.98`. */

export interface PeerHealth {
  readonly inflight: number;
  readonly health: number;
}

export function formatPeerHealth({ inflight, health }: PeerHealth): string {
  return `inflight=${inflight}; health=${health.toFixed(2)}`;
}

/** Null where the header is absent or says nothing that we understand. */
export function parsePeerHealth(value: string | null): PeerHealth | null {
  const match = value === null ? null : /^inflight=(\d{1,9}); health=([01](?:\.\d{1,6})?)$/.exec(value);
  if (match === null) return null;
  return { inflight: Number(match[1]), health: Math.min(1, Number(match[2])) };
}
