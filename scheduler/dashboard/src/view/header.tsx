/** The head of the page: whose mesh this is, and whether its scheduler works. */
import type { Store } from '../store.ts';
import { StateMark } from './icon.tsx';

export function Header({ store }: { readonly store: Store }) {
  const health = store.health.value;
  const frameworkId = store.frameworkId.value;
  const live = store.connection.value.kind;
  // What is old is told as such, also to who does not see the grey.
  const stale = store.stale.health.value;
  const was = stale ? 'was ' : '';
  return (
    <header>
      <h1>
        <Logo />
        nodemesh
      </h1>
      <ul class={stale ? 'facts stale' : 'facts'} aria-label="Scheduler">
        {health?.leading !== undefined && (
          <li>
            <StateMark state={health.leading ? 'healthy' : 'pending'}>
              {`${was}${health.leading ? 'leading' : 'standby, not leading'}`}
            </StateMark>
          </li>
        )}
        {health?.subscribed !== undefined && (
          <li>
            <StateMark state={health.subscribed ? 'healthy' : 'unhealthy'}>
              {`${was}${health.subscribed ? 'subscribed to Mesos' : 'not subscribed to Mesos'}`}
            </StateMark>
          </li>
        )}
        {frameworkId !== null && (
          <li class="framework">
            framework <code title={frameworkId}>{frameworkId}</code>
          </li>
        )}
      </ul>
      <span class={`pulse pulse-${live}`}>
        {live === 'live' ? 'live' : live === 'connecting' ? 'connecting' : 'stale'}
      </span>
    </header>
  );
}

function Logo() {
  return (
    <svg class="logo" viewBox="0 0 24 24" width="22" height="22" aria-hidden="true">
      <path d="M5 18V6l14 12V6" fill="none" stroke="currentColor" stroke-width="2" />
      <g fill="currentColor">
        <circle cx="5" cy="6" r="3" />
        <circle cx="5" cy="18" r="3" />
        <circle cx="19" cy="6" r="3" />
        <circle cx="19" cy="18" r="3" />
      </g>
    </svg>
  );
}
