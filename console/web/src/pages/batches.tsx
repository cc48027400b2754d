import type { Batch, PageOf, Source } from '../api/types';
import { useBatches } from '../base/batches';
import { number } from '../base/format';
import { at, urlOf } from '../base/place';
import { useResource } from '../base/resource';
import { may } from '../base/session';
import { batches as words } from '../i18n/batches';
import { modeWord, statusWord } from '../i18n/words';
import { BatchLink, BatchProgress, BatchStatus, batchPath, periodOf } from '../ui/batch';
import { Icon } from '../ui/icons';
import { Page } from '../ui/parts';
import { Choice, Empty, Filters, Table, type Column } from '../ui/table';
import { Time } from '../ui/time';

const filters = ['source', 'phase', 'mode'];

export default function BatchesPage() {
  const batches = useBatches(urlOf('/v1/batches', { source: at('source'), phase: at('phase'), mode: at('mode'), cursor: at('cursor'), limit: 50 }));
  const sources = useResource<PageOf<Source>>('/v1/sources');
  const create = may('batches:write') && <a class="button primary" href="/batches/new"><Icon name="plus" size={14} />{words.create()}</a>;
  return (
    <Page title={words.title()} actions={create}>
      <Filters names={filters}>
        <Choice name="source" label={words.source()} options={(sources.data?.items ?? []).map((s) => [s.id, s.name] as const)} />
        <Choice name="phase" label={words.phase()} options={['active', 'held', 'paused', 'cancelled'].map((p) => [p, statusWord(p)] as const)} />
        <Choice name="mode" label={words.mode()} options={['migrate', 'preflight'].map((m) => [m, modeWord(m)] as const)} />
      </Filters>
      <Table label={words.title()} columns={columns()} of={batches} id={(b) => b.number} filtered={filters.some((f) => at(f))}
        empty={<Empty title={words.empty()}><p>{words.emptyHelp()}</p>{create}</Empty>} />
    </Page>
  );
}

const columns = (): Column<Batch>[] => [
  { key: 'number', head: words.number(), cell: (b) => <BatchLink of={b} /> },
  { key: 'status', head: words.status(), cell: (b) => <BatchStatus of={b} /> },
  { key: 'progress', head: words.progress(), cell: (b) => <BatchProgress of={b} /> },
  { key: 'documents', head: words.documents(), number: true, cell: (b) => number(b.documents.total) },
  { key: 'migrated', head: words.migrated(), number: true, cell: (b) => number(b.documents.migrated + b.documents.passed) },
  { key: 'failed', head: words.failed(), number: true, cell: (b) => (b.documents.failed > 0 ? <a class="bad" href={batchPath(b.number, 'documents') + '?status=failed'}>{number(b.documents.failed)}</a> : <span class="faint">0</span>) },
  { key: 'source', head: words.source(), minor: true, cell: (b) => b.source },
  { key: 'period', head: words.period(), minor: true, cell: (b) => <span class="nowrap">{periodOf(b)}</span> },
  { key: 'created', head: words.createdAt(), minor: true, cell: (b) => <Time at={b.createdAt} /> },
];
