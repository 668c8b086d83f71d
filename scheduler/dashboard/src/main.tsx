/** The dashboard's start: connects the live state to the page, and rests while nobody looks. */
import { render } from 'preact';
import { config } from 'zod/mini';
import { App } from './app.tsx';
import { createStore } from './store.ts';

// The page's content security policy forbids code from strings, which zod would otherwise try to make.
config({ jitless: true });

const store = createStore();

function follow(): void {
  if (document.visibilityState === 'hidden') store.pause();
  else store.start();
}

const root = document.getElementById('app');
if (root === null) throw new Error('index.html has no #app');
render(<App store={store} />, root);
document.addEventListener('visibilitychange', follow);
window.addEventListener('online', store.nudge);
follow();
