import type { BatchOverview, PageOf, Slice } from '../../api/types';
import { number } from '../../base/format';
import { at, segment, urlOf } from '../../base/place';
import { useResource } from '../../base/resource';
import { may, mayAll } from '../../base/session';
import { actions, slices as words } from '../../i18n/batch';
import { categoryWord, statusWord } from '../../i18n/words';
import { Brief } from '../../ui/failure';
import { Status } from '../../ui/status';
import { Choice, Empty, Filters, Table, type Column } from '../../ui/table';
import { Time } from '../../ui/time';
import { acceptShortfall, retrySlice } from './actions';

export function Slices({ batch }: { batch: BatchOverview }) {
  const page = useResource<PageOf<Slice>>(urlOf(`/v1/batches/${segment(batch.number)}/slices`, { status: at('status'), cursor: at('cursor'), limit: 100 }), { live: { kind: 'batch', batch: batch.number } });
  return (
    <>
      <Filters names={['status']}>
        <Choice name="status" label={words.status()} options={['waiting', 'listing', 'completed', 'failed'].map((s) => [s, statusWord(s)] as const)} />
      </Filters>
      <Table label={words.slice()} columns={columns(batch)} of={page} id={(s) => s.id} filtered={at('status') !== ''} empty={<Empty title={words.empty()} />} />
    </>
  );
}

const columns = (batch: BatchOverview): Column<Slice>[] => [
  { key: 'slice', head: words.slice(), cell: (s) => <b>{s.id}</b> },
  { key: 'status', head: words.status(), cell: (s) => <Status of={s.status} /> },
  { key: 'total', head: words.total(), number: true, cell: (s) => number(s.sourceTotal) },
  { key: 'found', head: words.found(), number: true, cell: (s) => number(s.found) },
  { key: 'duplicates', head: words.duplicates(), number: true, cell: (s) => number(s.duplicates) },
  { key: 'shortfall', head: words.shortfall(), number: true, cell: (s) => <><span class={s.shortfall > s.accepted ? 'bad' : ''}>{number(s.shortfall)}</span>{s.accepted > 0 && <small class="faint"> {words.accepted({ n: s.accepted })}</small>}</> },
  { key: 'pass', head: words.pass(), number: true, minor: true, cell: (s) => number(s.pass) },
  { key: 'why', head: words.why(), cell: (s) => (s.failure
    ? <span class="why"><b>{categoryWord(s.failure.category)}</b> <code>{s.failure.code}</code><Brief of={s.failure} />{s.nextAttempt && <small>{words.nextAttempt()} <Time at={s.nextAttempt} relative /></small>}</span>
    : <span class="faint">{s.reason ?? '–'}</span>) },
  { key: 'act', head: '', cell: (s) => may('batches:write') && mayAll(batch) && batch.phase !== 'cancelled' && (s.status === 'failed' || (s.status === 'completed' && s.shortfall > s.accepted)) && (
    <span class="buttons">
      <button type="button" onClick={() => retrySlice(batch.number, s)}>{actions.retrySlice()}</button>
      {s.status === 'completed' && <button type="button" onClick={() => acceptShortfall(batch.number, s)}>{actions.accept()}</button>}
    </span>
  ) },
];
