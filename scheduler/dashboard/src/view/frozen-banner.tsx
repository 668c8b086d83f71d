/** Says that an operator has frozen the mesh, for as long as it is so. */
import type { ReadonlySignal } from '@preact/signals';
import { FROZEN, type HealthAnswer } from '../model/answers.ts';

export function FrozenBanner({ health }: { readonly health: ReadonlySignal<HealthAnswer | null> }) {
  const frozen = health.value?.frozen === true;
  return (
    <div role="status" class={frozen ? 'banner frozen' : 'banner quiet'}>
      {frozen && <strong>{FROZEN}</strong>}
    </div>
  );
}
