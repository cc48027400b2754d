import type { BatchOverview, Document, PageOf } from '../../api/types';
import { number } from '../../base/format';
import { at, segment, urlOf } from '../../base/place';
import { useResource } from '../../base/resource';
import { may } from '../../base/session';
import { documents as words } from '../../i18n/batch';
import { categories, categoryWord, statusWord } from '../../i18n/words';
import { documentPath } from '../../ui/batch';
import { bulk } from '../../ui/bulk';
import { Bar } from '../../ui/closure';
import { Brief } from '../../ui/failure';
import { Status } from '../../ui/status';
import { Choice, Empty, Filters, Table, Words, type Column } from '../../ui/table';
import { Time } from '../../ui/time';

const filters = ['status', 'category', 'code', 'organization', 'documentType', 'text', 'fingerprint'];

interface Facets {
  total: number;
  organizations: { value: string; count: number }[];
  documentTypes: { value: string; count: number }[];
  codes: { value: string; count: number }[];
}

export function Documents({ batch }: { batch: BatchOverview }) {
  const query = Object.fromEntries(filters.map((f) => [f, at(f)]));
  const path = `/v1/batches/${segment(batch.number)}/documents`;
  const page = useResource<PageOf<Document>>(urlOf(path, { ...query, cursor: at('cursor'), limit: 100 }), { live: { kind: 'batch', batch: batch.number } });
  const facets = useResource<Facets>(urlOf(path + '/facets', query));
  const filtered = filters.some((f) => at(f));
  const counted = (list: Facets['codes'] | undefined) => (list ?? []).filter((f) => f.value !== '').map((f) => [f.value, `${f.value} (${number(f.count)})`] as const);
  const statuses = ['pending', batch.mode === 'preflight' ? 'passed' : 'migrated', 'failed', 'excepted', 'cancelled'];
  const retries = at('status') === 'failed' && !at('text') && batch.phase !== 'cancelled' && may('documents:write') && (facets.data?.total ?? 0) > 0;
  return (
    <>
      <Filters names={filters}>
        <Words name="text" label={words.text()} placeholder={words.textHelp()} />
        <Choice name="status" label={words.status()} options={statuses.map((s) => [s, statusWord(s)] as const)} />
        <Choice name="category" label={words.category()} options={categories.map((c) => [c, categoryWord(c)] as const)} />
        <Choice name="code" label={words.code()} options={kept(counted(facets.data?.codes), at('code'))} />
        <Choice name="organization" label={words.organization()} options={kept(counted(facets.data?.organizations), at('organization'))} />
        <Choice name="documentType" label={words.type()} options={kept(counted(facets.data?.documentTypes), at('documentType'))} />
        {at('fingerprint') && <Words name="fingerprint" label={words.fingerprint()} />}
        <span class="grow" />
        {facets.data && <span class="faint small">{words.count({ n: facets.data.total })}</span>}
        {retries && <button type="button" onClick={() => bulk('retry', [{ batch: batch.number, filter: { ...query, status: '', text: '' } }])}>{words.retryThese()}</button>}
      </Filters>
      <Table label={words.image()} columns={columns(batch.number)} of={page} id={(d) => d.id} filtered={filtered}
        empty={<Empty title={words.empty()}><p>{words.emptyHelp()}</p></Empty>} />
    </>
  );
}

// kept has the chosen value even where nothing is counted for it.
const kept = (options: (readonly [string, string])[], chosen: string) =>
  chosen === '' || options.some(([v]) => v === chosen) ? options : [...options, [chosen, chosen] as const];

const columns = (batch: string): Column<Document>[] => [
  { key: 'image', head: words.image(), cell: (d) => <a class="clip" title={d.imageNumber} href={documentPath(batch, d.id)}><b>{d.imageNumber || d.id}</b></a> },
  { key: 'bill', head: words.bill(), minor: true, cell: (d) => <span class="nowrap">{d.billNumber ?? '–'}</span> },
  { key: 'status', head: words.status(), cell: (d) => <Status of={d.status} /> },
  { key: 'failure', head: words.failure(), cell: (d) => (d.failure ? <span class="why"><b>{categoryWord(d.failure.category)}</b> <code>{d.failure.code}</code><Brief of={d.failure} /></span> : <span class="faint">–</span>) },
  { key: 'files', head: words.files(), cell: (d) => <span class="mini"><Bar counts={d.files} label={words.files()} />{number(d.files.total)}</span> },
  { key: 'organization', head: words.organization(), minor: true, cell: (d) => <span class="nowrap">{d.organization}</span> },
  { key: 'type', head: words.type(), minor: true, cell: (d) => d.documentType },
  { key: 'date', head: words.date(), minor: true, cell: (d) => <span class="nowrap">{d.billDate ?? '–'}</span> },
  { key: 'changed', head: words.changed(), minor: true, cell: (d) => <Time at={d.changedAt} relative /> },
];
