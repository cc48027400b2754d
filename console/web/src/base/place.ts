// Where the reader is: the path and its query. Filters, sort and page of every
// table stand in the query, so that what one sees can be sent to somebody else.
import { signal } from '@preact/signals';

export interface Place {
  path: string;
  query: URLSearchParams;
}

const read = (): Place => ({ path: location.pathname, query: new URLSearchParams(location.search) });

export const place = signal<Place>(read());

// go shows another place; replacing leaves no step to go back to.
export function go(url: string, replacing = false) {
  if (replacing) history.replaceState(null, '', url);
  else history.pushState(null, '', url);
  place.value = read();
}

export type Query = Record<string, string | number | boolean | undefined | null>;

// urlOf a path with those values of a query that are set.
export function urlOf(path: string, query: Query = {}): string {
  const set = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== null && value !== '' && value !== false) set.set(name, String(value));
  }
  const text = set.toString();
  return text === '' ? path : `${path}?${text}`;
}

// here is this place with other values in its query. Another filter begins at
// the first page.
export function here(changes: Query): string {
  const query: Query = Object.fromEntries(place.value.query);
  if (!('cursor' in changes)) delete query.cursor;
  return urlOf(place.value.path, { ...query, ...changes });
}

// at is a value of the query; empty when it is not set.
export const at = (name: string): string => place.value.query.get(name) ?? '';

// segment encodes an id as one segment of a path: ids hold slashes.
export const segment = encodeURIComponent;

export function followLinks() {
  addEventListener('popstate', () => (place.value = read()));
  document.addEventListener('click', (event) => {
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const link = (event.target as Element).closest('a');
    if (!link || link.target || link.hasAttribute('download') || link.origin !== location.origin) return;
    if (/^\/(v1|docs|schemas|openapi)/.test(link.pathname)) return; // the API's, not the console's
    event.preventDefault();
    const moves = link.pathname !== location.pathname;
    go(link.href);
    if (moves) scrollTo(0, 0);
  });
}

// matched gives the values of a pattern such as /batches/:number that a path
// fits; a last segment with ? may be absent.
export function matched(pattern: string, path: string): Record<string, string> | null {
  const wants = pattern.split('/').filter(Boolean);
  const has = path.split('/').filter(Boolean);
  const values: Record<string, string> = {};
  if (has.length > wants.length) return null;
  for (const [i, want] of wants.entries()) {
    const part = has[i];
    if (part === undefined) {
      if (!want.endsWith('?')) return null;
    } else if (!want.startsWith(':')) {
      if (part !== want) return null;
    } else {
      try {
        values[want.replace(/[:?]/g, '')] = decodeURIComponent(part);
      } catch {
        return null; // a % that encodes nothing
      }
    }
  }
  return values;
}
