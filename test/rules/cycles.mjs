/**
 * Import cycles, found as strongly connected components of the graph (Tarjan), and shown as one closed walk each.
 */

/** @typedef {import('./import-graph.mjs').Edge} Edge */

/**
 * @param {readonly Edge[]} edges between files
 * @returns {Edge[][]} for each knot of files that import each other, a shortest cycle in it
 */
export function cyclesOf(edges) {
  /** @type {Map<string, Edge[]>} */
  const outgoing = new Map();
  for (const edge of edges) {
    const list = outgoing.get(edge.from);
    if (list === undefined) outgoing.set(edge.from, [edge]);
    else list.push(edge);
  }
  return knotsOf(outgoing).flatMap((knot) => {
    const start = [...knot].sort()[0];
    const cycle = start === undefined ? null : shortestCycle(start, knot, outgoing);
    return cycle === null ? [] : [cycle];
  });
}

/**
 * @param {ReadonlyMap<string, readonly Edge[]>} outgoing
 * @returns {Set<string>[]} components with a cycle in them
 */
function knotsOf(outgoing) {
  /** @type {Map<string, { index: number, low: number, onStack: boolean }>} */
  const visited = new Map();
  /** @type {string[]} */
  const stack = [];
  /** @type {Set<string>[]} */
  const knots = [];

  /** @param {string} file */
  const visit = (file) => {
    const here = { index: visited.size, low: visited.size, onStack: true };
    visited.set(file, here);
    stack.push(file);
    for (const { to } of outgoing.get(file) ?? []) {
      const known = visited.get(to);
      if (known === undefined) here.low = Math.min(here.low, visit(to).low);
      else if (known.onStack) here.low = Math.min(here.low, known.index);
    }
    if (here.low === here.index) {
      const knot = new Set(stack.splice(stack.indexOf(file)));
      for (const member of knot) {
        const state = visited.get(member);
        if (state !== undefined) state.onStack = false;
      }
      const importsItself = outgoing.get(file)?.some((edge) => edge.to === file) === true;
      if (knot.size > 1 || importsItself) knots.push(knot);
    }
    return here;
  };

  for (const file of outgoing.keys()) if (!visited.has(file)) visit(file);
  return knots;
}

/**
 * @param {string} start
 * @param {ReadonlySet<string>} knot
 * @param {ReadonlyMap<string, readonly Edge[]>} outgoing
 * @returns {Edge[] | null}
 */
function shortestCycle(start, knot, outgoing) {
  /** How each file was first reached. @type {Map<string, Edge[]>} */
  const walks = new Map([[start, []]]);
  for (const [file, walk] of walks) {
    for (const edge of outgoing.get(file) ?? []) {
      if (edge.to === start) return [...walk, edge];
      if (knot.has(edge.to) && !walks.has(edge.to)) walks.set(edge.to, [...walk, edge]);
    }
  }
  return null;
}
