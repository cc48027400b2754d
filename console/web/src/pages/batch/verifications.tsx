import { post } from '../../api/http';
import type { BatchOverview, PageOf, Verification } from '../../api/types';
import { useEvery } from '../../base/every';
import { bytes, number } from '../../base/format';
import { at, segment, urlOf } from '../../base/place';
import { useResource } from '../../base/resource';
import { may, mayAll } from '../../base/session';
import { actions, verifications as words } from '../../i18n/batch';
import { ask } from '../../ui/dialog';
import { Status } from '../../ui/status';
import { Empty, Table, type Column } from '../../ui/table';
import { Time } from '../../ui/time';
import { toast } from '../../ui/toast';
import { verify } from './actions';

const readEvery = 4000;

export function Verifications({ batch }: { batch: BatchOverview }) {
  const page = useResource<PageOf<Verification>>(urlOf('/v1/verifications', { batch: batch.number, cursor: at('cursor'), limit: 50 }), { live: { batch: batch.number } });
  useEvery(readEvery, page.reload, page.data?.items.some((v) => v.status === 'running') ?? false);
  return (
    <Table label={actions.verify()} columns={columns(page.data?.items[0]?.id)} of={page} id={(v) => v.id}
      empty={<Empty title={words.none()}><p>{words.noneHelp()}</p>{may('batches:write') && mayAll(batch) && batch.documents.migrated > 0 && <button type="button" class="primary" onClick={() => verify(batch)}>{actions.verify()}</button>}</Empty>} />
  );
}

const flawed = (v: Verification) => v.documents.missing + v.documents.changed + v.documents.unverifiable;

function cancel(v: Verification) {
  ask({
    title: words.cancel(), say: words.cancelSay({ n: v.left }), action: words.cancel(), danger: true, reason: true,
    run: async ({ reason }, key) => { await post(`/v1/verifications/${segment(v.id)}/cancel`, { reason }, { key }); toast(words.cancelled()); },
  });
}

function again(v: Verification) {
  ask({
    title: words.retry(), say: words.retrySay({ n: flawed(v) }), action: words.retry(), reason: true,
    run: async ({ reason }, key) => { await post(`/v1/verifications/${segment(v.id)}/retry`, { reason }, { key }); toast(words.retried()); },
  });
}

const bad = (n: number) => <span class={n > 0 ? 'bad' : 'faint'}>{number(n)}</span>;

// columns of verifications; of the newest the flawed can be looked at again.
const columns = (newest?: string): Column<Verification>[] => [
  { key: 'at', head: words.at(), cell: (v) => <a href={`/verifications/${segment(v.id)}`}><Time at={v.requestedAt} /></a> },
  { key: 'status', head: words.status(), cell: (v) => <Status of={v.status} /> },
  { key: 'documents', head: words.documents(), number: true, cell: (v) => `${number(v.selected - v.left)} / ${number(v.selected)}` },
  { key: 'intact', head: words.intact(), number: true, cell: (v) => number(v.documents.intact) },
  { key: 'missing', head: words.missing(), number: true, cell: (v) => bad(v.documents.missing) },
  { key: 'changed', head: words.changed(), number: true, cell: (v) => bad(v.documents.changed) },
  { key: 'unverifiable', head: words.unverifiable(), number: true, minor: true, cell: (v) => bad(v.documents.unverifiable) },
  { key: 'extra', head: words.extra(), number: true, minor: true, cell: (v) => number(v.documents.extra) },
  { key: 'bytes', head: words.bytes(), number: true, minor: true, cell: (v) => <span class="nowrap">{bytes(v.bytes)}</span> },
  { key: 'act', head: '', cell: (v) => may('batches:write') && (
    v.status === 'running' ? <button type="button" onClick={() => cancel(v)}>{words.cancel()}</button>
      : flawed(v) > 0 && v.id === newest && !at('cursor') && <button type="button" onClick={() => again(v)}>{words.retry()}</button>
  ) },
];
