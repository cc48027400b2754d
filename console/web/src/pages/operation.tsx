// A bulk operation: how far it is, and what became of each document.
import { useEffect } from 'preact/hooks';
import { post } from '../api/http';
import type { Operation, OperationItem, Outcome, PageOf } from '../api/types';
import { number } from '../base/format';
import { onLive } from '../base/live';
import { at, segment, urlOf } from '../base/place';
import { useResource } from '../base/resource';
import { may } from '../base/session';
import { operations } from '../i18n/batch';
import { operation as words } from '../i18n/bulk';
import { common } from '../i18n/common';
import { categoryWord, kindWord, statusWord } from '../i18n/words';
import { batchPath, documentPath } from '../ui/batch';
import { bulk, type Kind } from '../ui/bulk';
import { ask } from '../ui/dialog';
import { Told } from '../ui/failure';
import { Icon } from '../ui/icons';
import { operationPath, OperationProgress } from '../ui/operations';
import { Facts, Figure, Page, Panel, Skeleton } from '../ui/parts';
import { ProblemBox } from '../ui/problem';
import { Status } from '../ui/status';
import { Choice, Empty, Filters, Table, type Column } from '../ui/table';
import { Time } from '../ui/time';
import { toast } from '../ui/toast';

export default function OperationPage({ id }: { id: string }) {
  const operation = useResource<Operation>(`/v1/operations/${segment(id)}`);
  useEffect(() => onLive({ kind: 'operation' }, (event) => {
    if (event.kind === 'tick') operation.reload();
    else if (event.kind === 'operation' && event.data.id === id) operation.patch(() => event.data);
  }), [id]);
  const o = operation.data;
  const crumbs: [string, string][] = [['/operations', operations.title()]];
  if (!o) return <Page title={id} crumbs={crumbs}>{operation.problem ? <ProblemBox problem={operation.problem} again={operation.reload} /> : <Skeleton lines={8} />}</Page>;
  const settled = o.status === 'completed' || o.status === 'cancelled';
  return (
    <Page title={kindWord(o.kind)} crumbs={crumbs} status={<Status of={o.status} />} actions={<Actions of={o} />}>
      {operation.problem && <ProblemBox problem={operation.problem} again={operation.reload} />}
      <div class="figures">
        <Figure name={words.selected()} value={number(o.selected)} />
        <Figure name={words.done()} value={number(o.done)} />
        <Figure name={words.changed()} value={number(o.changed)} />
        <Figure name={words.refused()} value={number(o.refused)} tone={o.refused > 0 ? 'bad' : ''} />
        <Figure name={words.leftName()} value={number(o.left)} />
      </div>
      <Panel>
        {!settled && <OperationProgress of={o} />}
        <Facts of={[
          [operations.batch(), <a href={batchPath(o.batch)}>{o.batch}</a>],
          [words.filter(), <Chosen of={o} />],
          [operations.reason(), o.reason],
          (o.organizations?.length ?? 0) > 0 && [words.organizations(), o.organizations!.join(', ')],
          o.documentsPerSecond !== undefined && [words.pace(), words.paceOf({ n: o.documentsPerSecond })],
          [operations.at(), <><Time at={o.requestedAt} /> · {o.requestedBy}</>],
          [words.changedAt(), <Time at={o.changedAt} />],
        ]} />
      </Panel>
      <Items of={o} />
    </Page>
  );
}

function Chosen({ of: o }: { of: Operation }) {
  const { category, ...filter } = o.filter;
  const parts = [category && categoryWord(category), ...Object.values(filter)].filter(Boolean);
  return (
    <>
      {parts.join(' · ')}
      {o.named ? <> {words.named({ n: o.named })}</> : null}
      {o.list && <> {words.list()} <a href={`/lists/${segment(o.list)}`}>{o.list}</a></>}
      {o.failedOf && <> {words.failedOf()} <a href={operationPath(o.failedOf)}>{o.failedOf}</a></>}
      {parts.length === 0 && !o.named && !o.list && !o.failedOf && words.everything()}
    </>
  );
}

function Actions({ of: o }: { of: Operation }) {
  if (!may('documents:write')) return null;
  const settled = o.status === 'completed' || o.status === 'cancelled';
  const change = (to: 'pause' | 'resume' | 'cancel', title: string, say: string, done: string) => ask({
    title, say, action: title, reason: true, danger: to === 'cancel',
    run: async ({ reason }, key) => {
      const outcome = await post<Outcome>(`/v1/operations/${segment(o.id)}/${to}`, { reason }, { key });
      toast(outcome.changed ? done : common.unchanged());
    },
  });
  return (
    <>
      {settled && <button type="button" class="primary" onClick={() => bulk(o.kind as Kind, [{ batch: o.batch, failedOf: o.id }])}><Icon name="retry" size={14} />{words.again()}</button>}
      {o.status === 'running' && <button type="button" onClick={() => change('pause', words.pause(), words.left({ n: o.left }), words.paused())}>{words.pause()}</button>}
      {o.status === 'paused' && <button type="button" onClick={() => change('resume', words.resume(), words.left({ n: o.left }), words.resumed())}>{words.resume()}</button>}
      {!settled && <button type="button" class="danger" onClick={() => change('cancel', words.cancel(), words.leftCancel({ n: o.left }), words.cancelled())}>{words.cancel()}</button>}
    </>
  );
}

function Items({ of: o }: { of: Operation }) {
  const items = useResource<PageOf<OperationItem>>(urlOf(`/v1/operations/${segment(o.id)}/items`, { outcome: at('outcome'), became: at('became'), cursor: at('cursor'), limit: 100 }), { live: { kind: 'operation', batch: o.batch } });
  return (
    <>
      <Filters names={['outcome', 'became']}>
        <Choice name="outcome" label={words.outcome()} options={['done', 'changed', 'refused'].map((v) => [v, v === 'changed' ? words.changed() : statusWord(v)] as const)} />
        <Choice name="became" label={words.became()} options={['migrated', 'passed', 'failed'].map((v) => [v, statusWord(v)] as const)} />
      </Filters>
      <Table label={words.items()} columns={columns(o.batch)} of={items} id={(i) => i.document} filtered={at('outcome') !== '' || at('became') !== ''} empty={<Empty title={words.noItems()} />} />
    </>
  );
}

const columns = (batch: string): Column<OperationItem>[] => [
  { key: 'document', head: words.document(), cell: (i) => <a class="nowrap" href={documentPath(batch, i.document)}>{nameOf(i.document)}</a> },
  { key: 'outcome', head: words.outcome(), cell: (i) => <Status of={i.outcome} word={i.outcome === 'changed' ? words.changed() : undefined} /> },
  { key: 'became', head: words.became(), cell: (i) => (i.became ? <Status of={i.became} /> : <span class="faint">–</span>) },
  { key: 'detail', head: words.detail(), cell: (i) => (i.code ? <><code>{i.code}</code> <Told of={{ code: i.code, detail: i.failure }} /></> : i.detail ?? <span class="faint">–</span>) },
];

// nameOf a document's id as people read it: resource and image number.
function nameOf(id: string): string {
  try {
    return decodeURIComponent(id);
  } catch {
    return id;
  }
}
