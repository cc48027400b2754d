import type { BatchOverview, Failures as Causes } from '../../api/types';
import { urlOf } from '../../base/place';
import { useResource } from '../../base/resource';
import { may } from '../../base/session';
import { bulk as bulkWords } from '../../i18n/bulk';
import { actions, failures as words } from '../../i18n/batch';
import { batchPath, documentPath } from '../../ui/batch';
import { bulk } from '../../ui/bulk';
import { Groups } from '../../ui/groups';
import { Icon } from '../../ui/icons';

export function Failures({ batch }: { batch: BatchOverview }) {
  const groups = useResource<Causes>(urlOf('/v1/failures', { batch: batch.number }), { live: { kind: 'batch', batch: batch.number } });
  return (
    <>
      {batch.documents.failed > 0 && (
        <div class="filters"><span class="grow" /><a class="button" href={`/v1/batches/${batch.number}/failures.xlsx`} download><Icon name="download" size={14} />{actions.export()}</a></div>
      )}
      <Groups of={groups} sample={(g) => documentPath(batch.number, g.sample.document)} actions={(g) => (
        <>
          <a class="button" href={urlOf(batchPath(batch.number, 'documents'), { status: 'failed', fingerprint: g.fingerprint })}>{words.show()}</a>
          {may('documents:write') && batch.phase !== 'cancelled' && <button type="button" onClick={() => bulk('skip', [{ batch: batch.number, filter: { fingerprint: g.fingerprint } }])}>{bulkWords.skip()}</button>}
          {may('documents:write') && batch.phase !== 'cancelled' && <button type="button" onClick={() => bulk('retry', [{ batch: batch.number, filter: { fingerprint: g.fingerprint } }])}>{words.retry()}</button>}
        </>
      )} />
    </>
  );
}
