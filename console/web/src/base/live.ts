// What changes while one looks. Server-sent events where they get through, and
// gentle polling where they do not (a proxy that gathers answers, for one).
import { effect, signal } from '@preact/signals';
import type { Batch, Operation } from '../api/types';
import { identity } from './session';

export interface LiveFilter {
  kind?: 'batch' | 'operation';
  batch?: string;
}

export type LiveEvent = { kind: 'batch'; data: Batch } | { kind: 'operation'; data: Operation } | { kind: 'tick' };

export type Liveness = 'off' | 'connecting' | 'live' | 'polling';
export const liveness = signal<Liveness>('off');

const pollEvery = 5000;
const tryAgainAfter = 60_000;

const listeners = new Set<(event: LiveEvent) => void>();

// onLive calls back for each event that fits, and for each tick of polling.
export function onLive(filter: LiveFilter, listener: (event: LiveEvent) => void): () => void {
  const fitting = (event: LiveEvent) => {
    if (event.kind !== 'tick') {
      if (filter.kind && filter.kind !== event.kind) return;
      if (filter.batch && filter.batch !== (event.kind === 'batch' ? event.data.number : event.data.batch)) return;
    }
    listener(event);
  };
  listeners.add(fitting);
  return () => listeners.delete(fitting);
}

const tell = (event: LiveEvent) => listeners.forEach((listener) => listener(event));

let source: EventSource | undefined;
let poll = 0;
let again = 0;

function connect() {
  liveness.value = 'connecting';
  source = new EventSource('/v1/live');
  source.onopen = () => {
    clearInterval(poll);
    liveness.value = 'live';
  };
  source.addEventListener('batch', (e) => tell({ kind: 'batch', data: JSON.parse((e as MessageEvent).data) }));
  source.addEventListener('operation', (e) => tell({ kind: 'operation', data: JSON.parse((e as MessageEvent).data) }));
  source.addEventListener('reset', () => tell({ kind: 'tick' })); // what happened meanwhile is not known
  source.onerror = () => {
    startPolling();
    if (source?.readyState === EventSource.CLOSED) again = window.setTimeout(connect, tryAgainAfter); // else the browser tries
  };
}

function startPolling() {
  clearInterval(poll);
  liveness.value = 'polling';
  poll = window.setInterval(() => {
    if (!document.hidden) tell({ kind: 'tick' });
  }, pollEvery);
}

function disconnect() {
  source?.close();
  clearInterval(poll);
  clearTimeout(again);
  liveness.value = 'off';
}

effect(() => {
  if (identity.value) connect();
  else disconnect();
});
