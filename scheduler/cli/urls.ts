/** Addresses of servers as people give them to a command. */
import { InvalidArgumentError } from 'commander';

/** A parser of an option of commander. */
export function parseUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !['http:', 'https:'].includes(url.protocol)) {
    throw new InvalidArgumentError('Give an http or https URL, such as http://marathon.mesos:8080.');
  }
  return url;
}
