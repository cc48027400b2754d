// Bulk operations, each confirmed with its count.
import { get, post } from '../api/http';
import type { OperationAccepted } from '../api/types';
import { segment, urlOf, type Query } from '../base/place';
import { bulk as words } from '../i18n/bulk';
import { ask } from './dialog';
import { operationPath } from './operations';
import { toast } from './toast';

// retry what is failed of a batch, or what of it a filter chooses.
export function retry(batch: string, filter: Query = {}) {
  const path = `/v1/batches/${segment(batch)}`;
  const set = Object.fromEntries(Object.entries(filter).filter(([, v]) => v));
  ask({
    title: words.retry(), say: words.retrySay(), action: words.retry(), reason: true,
    count: async () => (await get<{ total: number }>(urlOf(path + '/documents/facets', { ...set, status: 'failed' }))).total,
    counted: (n) => words.retryCount({ n }),
    run: async ({ reason }, key) => {
      const accepted = await post<OperationAccepted>(path + '/retry', { reason, filter: set }, { key });
      toast(words.begun(), { to: operationPath(accepted.operation), text: words.show() });
    },
  });
}
