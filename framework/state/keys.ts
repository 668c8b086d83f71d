/** Keys of a state store: paths that are also paths of files and of ZooKeeper's nodes, as they are. */
import { StateStoreError } from './state-store.ts';

const KEY = /^[A-Za-z0-9_-][A-Za-z0-9._-]*(\/[A-Za-z0-9_-][A-Za-z0-9._-]*)*$/;

/** @throws {StateStoreError} for anything else. */
export function checkedKey(key: string): string {
  if (!KEY.test(key))
    throw new StateStoreError(`'${key}' is no key of a state store: use segments of A-Z a-z 0-9 . _ -`);
  return key;
}
