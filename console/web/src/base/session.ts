// Who is signed in, and what they may do.
import { effect, signal } from '@preact/signals';
import { get, Problem, send, sessionEnded } from '../api/http';
import type { Session } from '../api/types';
import { remember, remembered } from './preferences';

// As the API names them.
export type Permission =
  | 'sources:read' | 'sources:write' | 'batches:read' | 'batches:write' | 'documents:read' | 'documents:write' | 'documents:explain' | 'operations:read' | 'history:read'
  | 'audit:read' | 'audit:export' | 'tokens:read' | 'tokens:write' | 'webhooks:read' | 'webhooks:write' | 'profiles:read' | 'profiles:write'
  | 'approvals:read' | 'approvals:decide' | 'projections:read' | 'projections:write';

// undefined: not known yet; null: nobody.
export const identity = signal<Session | null | undefined>(undefined);
export const sessionProblem = signal<Problem | undefined>(undefined);

// may says what to offer. The API refuses by itself what is not granted.
export const may = (permission: Permission): boolean => identity.value?.permissions.includes(permission) ?? false;

// restricted tells that somebody sees the documents of some organisations only.
export const restricted = (): boolean => (identity.value?.organizations?.length ?? 0) > 0;

// mayAll says whether to offer what is done to a whole batch: whose scope is
// theirs in part only, they may not.
export const mayAll = (batch: { scope: { organizations?: string[] } }): boolean =>
  !restricted() || (batch.scope.organizations ?? []).length > 0 && batch.scope.organizations!.every((o) => identity.value!.organizations!.includes(o));

// restore the session of this browser. Where none was begun, there is none to
// ask for.
export async function restore() {
  if (remembered('session') !== 'begun') {
    identity.value = null;
    return;
  }
  try {
    identity.value = await get<Session>('/v1/session');
    sessionProblem.value = undefined;
  } catch (error) {
    if (error instanceof Problem && error.status === 401) return over();
    identity.value = null;
    sessionProblem.value = error as Problem;
  }
}

export async function signIn(token: string) {
  identity.value = await send<Session>('POST', '/v1/session', { token }, { quiet: true });
  remember('session', 'begun');
}

export async function signOut() {
  await send('DELETE', '/v1/session', undefined, { quiet: true });
  over();
}

function over() {
  remember('session', 'over');
  identity.value = null;
}

effect(() => {
  if (sessionEnded.value > 0) over();
});
