import { get } from '../../api/http';
import type { BatchOverview, Failures as Causes, List, PageOf } from '../../api/types';
import { urlOf } from '../../base/place';
import { useResource } from '../../base/resource';
import { may, restricted } from '../../base/session';
import { bulk as bulkWords } from '../../i18n/bulk';
import { actions, failures as words } from '../../i18n/batch';
import { common } from '../../i18n/common';
import { kindWord } from '../../i18n/words';
import { batchPath, documentPath } from '../../ui/batch';
import { bulk } from '../../ui/bulk';
import { ask } from '../../ui/dialog';
import { Select } from '../../ui/fields';
import { Groups } from '../../ui/groups';
import { Icon } from '../../ui/icons';

export function Failures({ batch }: { batch: BatchOverview }) {
  const groups = useResource<Causes>(urlOf('/v1/failures', { batch: batch.number }), { live: { kind: 'batch', batch: batch.number } });
  return (
    <>
      {batch.documents.failed > 0 && (
        <div class="filters">
          <span class="grow" />
          <a class="button" href={`/v1/batches/${batch.number}/failures.xlsx`} download><Icon name="download" size={14} />{actions.export()}</a>
          {may('documents:write') && !restricted() && batch.phase !== 'cancelled' && <button type="button" onClick={() => retryByList(batch.number)}>{words.byList()}</button>}
        </div>
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

// retryByList asks which list is meant, and then for its count.
function retryByList(batch: string) {
  ask({
    title: words.byList(), say: words.byListSay(), action: common.goOn(), fields: <ListChoice />,
    count: async () => (await get<PageOf<List>>('/v1/lists?limit=1')).items.length,
    counted: (n) => n === 0 && <>{words.noList()} <a href="/lists">{words.toLists()}</a></>,
    run: async ({ list }) => void setTimeout(() => bulk('retry', [{ batch, list }])), // after this dialog has closed
  });
}

function ListChoice() {
  const lists = useResource<PageOf<List>>('/v1/lists?limit=200');
  if (!lists.data?.items.length) return null;
  return <Select label={words.list()} name="list" required options={lists.data.items.map((l) => [l.id, `${l.name || l.id} (${kindWord(l.kind)})`] as const)} />;
}
