// Failed documents by cause, over all batches.
import { get } from '../api/http';
import type { Batch, FailureGroup, Failures, PageOf, Source } from '../api/types';
import { at, urlOf } from '../base/place';
import { useResource } from '../base/resource';
import { may } from '../base/session';
import { failures as groupWords } from '../i18n/batch';
import { bulk as bulkWords, failuresPage as words } from '../i18n/bulk';
import { categories, categoryWord } from '../i18n/words';
import { batchPath, documentPath } from '../ui/batch';
import { bulk, type Kind } from '../ui/bulk';
import { Groups } from '../ui/groups';
import { Page } from '../ui/parts';
import { Choice, Filters } from '../ui/table';
import { show } from '../ui/dialog';
import { ProblemBox } from '../ui/problem';

const filters = ['source', 'batch', 'category'];

export default function FailuresPage() {
  const groups = useResource<Failures>(urlOf('/v1/failures', { source: at('source'), batch: at('batch') }), { live: { kind: 'batch' } });
  const sources = useResource<PageOf<Source>>('/v1/sources');
  const batches = useResource<PageOf<Batch>>(urlOf('/v1/batches', { source: at('source'), mode: 'migrate', limit: 200 }));
  const failing = (batches.data?.items ?? []).filter((b) => b.documents.failed > 0 || b.number === at('batch'));
  const shown = groups.data && at('category') ? { ...groups, data: { ...groups.data, items: groups.data.items.filter((g) => g.category === at('category')) } } : groups;
  return (
    <Page title={words.title()}>
      <p class="faint quiet">{words.intro()}</p>
      <Filters names={filters}>
        <Choice name="source" label={words.source()} options={(sources.data?.items ?? []).map((s) => [s.id, s.name] as const)} />
        <Choice name="batch" label={words.batch()} options={failing.map((b) => [b.number, b.number] as const)} />
        <Choice name="category" label={words.category()} options={categories.map((c) => [c, categoryWord(c)] as const)} />
      </Filters>
      <Groups of={shown} sample={(g) => documentPath(g.sample.batch, g.sample.document)} actions={(g) => (
        <>
          <a class="button" href={urlOf(batchPath(at('batch') || g.sample.batch, 'documents'), { status: 'failed', fingerprint: g.fingerprint })}>{groupWords.show()}</a>
          {may('documents:write') && <button type="button" onClick={() => void act('skip', g)}>{bulkWords.skip()}</button>}
          {may('documents:write') && <button type="button" onClick={() => void act('retry', g)}>{groupWords.retry()}</button>}
        </>
      )} />
    </Page>
  );
}

// act on a group in the chosen batch, or in each batch that has failures: an
// operation is always of one batch.
async function act(kind: Kind, g: FailureGroup) {
  try {
    const numbers = at('batch') ? [at('batch')] : await failingBatches(at('source'));
    bulk(kind, numbers.map((batch) => ({ batch, filter: { fingerprint: g.fingerprint } })));
  } catch (error) {
    show(<ProblemBox problem={error as Error} />);
  }
}

async function failingBatches(source: string): Promise<string[]> {
  const numbers: string[] = [];
  let cursor: string | undefined;
  do {
    const page: PageOf<Batch> = await get(urlOf('/v1/batches', { source, mode: 'migrate', limit: 1000, cursor }));
    numbers.push(...page.items.filter((b) => b.documents.failed > 0 && b.phase !== 'cancelled').map((b) => b.number));
    cursor = page.next;
  } while (cursor);
  return numbers;
}
