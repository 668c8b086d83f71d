/** Which nodes get a change first: those with the most traffic, for they show soonest what it does. Pure. */

export interface RankedNode {
  readonly agentId: string;
  readonly isPublic: boolean;
  /** The scheduler runs there. */
  readonly isOwn: boolean;
  /** Requests in the last minute. */
  readonly requests: number;
}

/** The scheduler's own node, and the only public one, come last: what goes wrong there costs most. */
export function inOrderOfChange<Node extends RankedNode>(nodes: readonly Node[]): Node[] {
  const publicNodes = nodes.filter(({ isPublic }) => isPublic).length;
  const isSpared = (node: Node): boolean => node.isOwn || (node.isPublic && publicNodes === 1);
  return [...nodes].sort(
    (a, b) => Number(isSpared(a)) - Number(isSpared(b)) || b.requests - a.requests || (a.agentId < b.agentId ? -1 : 1),
  );
}
