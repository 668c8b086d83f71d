/** Where something stands in a configuration: `routers[0].client.loadBalancer.kind`. */

export type Place = readonly (string | number)[];

export function showPlace(place: Place): string {
  let shown = '';
  for (const part of place) {
    if (typeof part === 'number') shown += `[${part}]`;
    else shown += shown === '' ? part : `.${part}`;
  }
  return shown === '' ? 'configuration' : shown;
}
