/** A process and all that descends from it. */
import { readdirSync, readFileSync } from 'node:fs';

/**
 * @param {number} root
 * @returns {number[]} the root first
 */
export function processTree(root) {
  /** @type {Map<number, number[]>} */
  const childrenOf = new Map();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const parent = parentOf(name);
    if (parent === null) continue;
    const siblings = childrenOf.get(parent) ?? [];
    siblings.push(Number(name));
    childrenOf.set(parent, siblings);
  }
  const tree = [root];
  // Grows while it is walked: children are appended behind their parents.
  for (const pid of tree) tree.push(...(childrenOf.get(pid) ?? []));
  return tree;
}

/**
 * @param {string} pid
 * @returns {number | null} null when it has just ended
 */
function parentOf(pid) {
  const stat = readOrNull(`/proc/${pid}/stat`);
  if (stat === null) return null;
  // The name in parentheses may hold spaces and parentheses; behind the last one: state, parent.
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
}

/**
 * @param {string} file of /proc
 * @returns {string | null} null when its process or thread has just ended
 */
export function readOrNull(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ESRCH')) return null;
    throw error;
  }
}
