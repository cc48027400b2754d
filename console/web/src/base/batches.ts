// Batches kept up to date by what happens to them.
import { useEffect } from 'preact/hooks';
import type { Batch, PageOf } from '../api/types';
import { onLive } from './live';
import { watch } from './pace';
import { useResource, type Resource } from './resource';

// useBatches is a page of batches; those on it follow live events, and a new
// one makes the page be read again.
export function useBatches(url: string): Resource<PageOf<Batch>> {
  const page = useResource<PageOf<Batch>>(url);
  useEffect(() => onLive({ kind: 'batch' }, (event) => {
    if (event.kind !== 'batch') return page.reload();
    watch(event.data);
    let known = false;
    page.patch((old) => ({
      ...old, items: old.items.map((b) => {
        if (b.number !== event.data.number) return b;
        known = true;
        return event.data;
      }),
    }));
    if (!known && event.data.documents.total === 0) page.reload();
  }), [url]);
  return page;
}

export const runs = (b: Batch) => b.status === 'in-progress' && b.phase !== 'cancelled';
