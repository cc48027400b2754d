// Requests to the API of the same installation. The session is a cookie that
// scripts cannot read, so nothing here holds a credential.
import { signal } from '@preact/signals';
import type { Problem as ProblemAnswer } from './types';

// Problem is what the API answered, or what kept it from answering.
export class Problem extends Error {
  constructor(readonly answer: ProblemAnswer) {
    super(answer.detail);
  }
  get status() {
    return this.answer.status;
  }
  get code() {
    return this.answer.code;
  }
}

// ended is set when the API no longer knows the session.
export const sessionEnded = signal(0);

// changed counts commands that were answered; position is what the last one
// gave: reads that follow include it.
export const changed = signal({ count: 0, position: '' });

// requestKey names one request, so that sending it again has no second effect.
// crypto.randomUUID is there over HTTPS only, and an installation on a private
// network may have none.
export function requestKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, '0')).join('');
}

function unreachable(error: unknown): Problem {
  return new Problem({
    type: '', code: 'unreachable', status: 0, title: '', detail: error instanceof Error ? error.message : String(error), requestId: '',
  });
}

async function problemOf(response: Response): Promise<Problem> {
  try {
    const answer = await response.json();
    if (typeof answer?.code === 'string') return new Problem(answer);
  } catch {
    // A proxy's page, not the API's answer.
  }
  return new Problem({
    type: '', code: 'no-problem', status: response.status, title: response.statusText, detail: '', requestId: response.headers.get('X-Request-Id') ?? '',
  });
}

async function call(method: string, url: string, init: RequestInit): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(url, { method, credentials: 'same-origin', ...init });
  } catch (error) {
    if (init.signal?.aborted) throw error;
    throw unreachable(error);
  }
  if (response.ok) return response;
  const problem = await problemOf(response);
  if (problem.status === 401 && url !== '/v1/session') sessionEnded.value++;
  throw problem;
}

async function bodyOf<T>(response: Response): Promise<T> {
  const text = await response.text();
  return (text === '' ? undefined : JSON.parse(text)) as T;
}

export async function get<T>(url: string, signal?: AbortSignal): Promise<T> {
  return bodyOf<T>(await call('GET', url, { signal }));
}

export interface Command {
  key?: string; // the same for the same request sent again
  version?: number | '*'; // that the change is meant for; *: whatever is there
  quiet?: boolean; // changes nothing, such as a dry run
}

// send a command, and make what is shown read again.
export async function send<T>(method: 'POST' | 'PUT' | 'DELETE', url: string, body?: unknown, command: Command = {}): Promise<T> {
  const headers: Record<string, string> = { 'Idempotency-Key': command.key ?? requestKey() };
  if (command.version !== undefined) headers['If-Match'] = command.version === '*' ? '*' : `"${command.version}"`;
  let payload: BodyInit | undefined;
  if (body instanceof Blob) {
    payload = body;
    headers['Content-Type'] = body.type || 'text/csv';
  } else if (body !== undefined) {
    payload = JSON.stringify(body);
    headers['Content-Type'] = 'application/json';
  }
  const response = await call(method, url, { headers, body: payload });
  const answer = await bodyOf<T>(response);
  if (!command.quiet) {
    const position = response.headers.get('Waybill-Position') ?? (answer as { position?: string } | undefined)?.position ?? '';
    changed.value = { count: changed.value.count + 1, position };
  }
  return answer;
}

export const post = <T>(url: string, body?: unknown, command?: Command) => send<T>('POST', url, body, command);
