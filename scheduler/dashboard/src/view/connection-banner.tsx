/** Says that what is shown is old, and since when. The live region is always there, so that screen readers notice. */
import type { ReadonlySignal } from '@preact/signals';
import type { Connection } from '../model/connection.ts';
import { Icon } from './icon.tsx';

export function ConnectionBanner({ connection }: { readonly connection: ReadonlySignal<Connection> }) {
  const current = connection.value;
  const failed = current.kind === 'lost' || current.kind === 'unreachable';
  return (
    <div role="alert" class={failed ? 'banner' : 'banner quiet'}>
      {failed && (
        <>
          <Icon name="unhealthy" />
          <strong>{current.message}</strong>
          <span>{current.detail}</span>
        </>
      )}
    </div>
  );
}
