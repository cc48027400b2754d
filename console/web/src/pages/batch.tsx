// A batch: what it is, whether its figures close, and tabs for what is in it.
import { useEffect } from 'preact/hooks';
import type { BatchOverview } from '../api/types';
import { onLive } from '../base/live';
import { watch } from '../base/pace';
import { segment } from '../base/place';
import { number as figure } from '../base/format';
import { useResource } from '../base/resource';
import { may, mayAll, restricted } from '../base/session';
import { actions, batch as words } from '../i18n/batch';
import { batches } from '../i18n/batches';
import { bulk as bulkWords } from '../i18n/bulk';
import { modeWord } from '../i18n/words';
import { BatchStatus, batchPath, Left, Period } from '../ui/batch';
import { bulk } from '../ui/bulk';
import { Closure } from '../ui/closure';
import { Facts, Page, Panel, Skeleton, Tabs } from '../ui/parts';
import { ProblemBox } from '../ui/problem';
import { Icon } from '../ui/icons';
import { Time } from '../ui/time';
import * as act from './batch/actions';
import { Documents } from './batch/documents';
import { Slices } from './batch/slices';
import { Failures } from './batch/failures';
import { Operations } from './batch/operations';
import { Verifications } from './batch/verifications';
import { Report } from './batch/report';
import { MatchWithList } from './batch/match';
import { Changes } from './batch/changes';

const tabs: Record<string, (props: { batch: BatchOverview }) => preact.JSX.Element> = {
  documents: Documents, slices: Slices, failures: Failures, operations: Operations, verifications: Verifications, report: Report, match: MatchWithList, changes: Changes,
};

export default function BatchPage({ number, tab = 'documents' }: { number: string; tab?: string }) {
  const batch = useResource<BatchOverview>(`/v1/batches/${segment(number)}`);
  useEffect(() => onLive({ kind: 'batch', batch: number }, (event) => {
    if (event.kind !== 'batch') return batch.reload();
    watch(event.data);
    batch.patch((old) => ({ ...old, ...event.data }));
  }), [number]);
  const b = batch.data;
  const crumbs = [['/batches', batches.title()]] as const;
  if (!b) return <Page title={number} crumbs={[...crumbs]}>{batch.problem ? <ProblemBox problem={batch.problem} again={batch.reload} /> : <Skeleton lines={8} />}</Page>;
  const matched = b.scope.list !== undefined && !restricted();
  const Tab = (tab !== 'match' || matched) && tabs[tab] || Documents;
  return (
    <Page title={number} crumbs={[...crumbs]} status={<BatchStatus of={b} />} actions={<Actions of={b} />}>
      {batch.problem && <ProblemBox problem={batch.problem} again={batch.reload} />}
      <Notices of={b} />
      <div class="split even">
        <Panel>
          <Closure title={words.documents()} listed={words.listed()} counts={b.documents} of={b.finishedAt ? undefined : b.listings.sourceTotal}
            link={(bucket) => (bucket === 'skipped' ? undefined : `${batchPath(number, 'documents')}?status=${bucket}`)} />
          <Closure title={words.files()} listed={words.listed()} counts={b.files} />
          <Listed of={b} />
        </Panel>
        <Panel><About of={b} /></Panel>
      </div>
      <Tabs label={number} of={[
        [batchPath(number, 'documents'), words.documents(), figure(b.documents.total), Tab === Documents],
        [batchPath(number, 'failures'), words.failures(), b.documents.failed > 0 ? figure(b.documents.failed) : undefined],
        [batchPath(number, 'slices'), words.slices(), figure(b.listings.slices)],
        [batchPath(number, 'operations'), words.operations()],
        b.mode === 'migrate' && [batchPath(number, 'verifications'), words.verifications()],
        b.mode === 'preflight' && [batchPath(number, 'report'), words.report()],
        matched && [batchPath(number, 'match'), words.match()],
        [batchPath(number, 'changes'), words.changes()],
      ]} />
      <Tab batch={b} />
    </Page>
  );
}

function Actions({ of: b }: { of: BatchOverview }) {
  const open = b.phase !== 'cancelled';
  const changes = may('batches:write') && mayAll(b);
  return (
    <>
      {changes && b.mode === 'preflight' && b.finishedAt && <button type="button" class="primary" onClick={() => act.run(b)}>{actions.run()}</button>}
      {b.documents.failed > 0 && open && may('documents:write') && <button type="button" class="primary" onClick={() => bulk('retry', [{ batch: b.number }])}><Icon name="retry" size={14} />{bulkWords.retry()}</button>}
      {changes && open && b.phase === 'paused' && <button type="button" onClick={() => act.resume(b)}><Icon name="play" size={14} />{actions.resume()}</button>}
      {changes && open && b.phase !== 'paused' && b.status === 'in-progress' && <button type="button" onClick={() => act.pause(b)}><Icon name="pause" size={14} />{actions.pause()}</button>}
      {changes && b.mode === 'migrate' && b.documents.migrated > 0 && <button type="button" onClick={() => act.verify(b)}>{actions.verify()}</button>}
      {changes && open && b.status === 'in-progress' && <button type="button" class="danger" onClick={() => act.cancel(b)}>{actions.cancel()}</button>}
    </>
  );
}

function Notices({ of: b }: { of: BatchOverview }) {
  return (
    <>
      {b.empty && !b.emptyAcknowledged && (
        <div class="notice"><Icon name="warning" /><span>{words.emptyNotice()}</span>{may('batches:write') && mayAll(b) && <button type="button" onClick={() => act.acknowledge(b)}>{actions.acknowledge()}</button>}</div>
      )}
      {b.phase === 'held' && <div class="notice"><Icon name="pause" /><span>{words.heldNotice()}</span><a class="button" href={`/sources/${segment(b.source)}`}>{words.toSource()}</a></div>}
      {b.phase === 'paused' && <div class="notice"><Icon name="pause" /><span>{words.pausedNotice()}</span></div>}
      {b.listings.unaccepted > 0 && <div class="notice"><Icon name="warning" /><span>{words.shortfallNotice({ n: b.listings.unaccepted })}</span><a class="button" href={batchPath(b.number, 'slices')}>{words.toSlices()}</a></div>}
    </>
  );
}

// Listed holds what was listed against the source's own total.
function Listed({ of: b }: { of: BatchOverview }) {
  const l = b.listings;
  const beside = [[words.duplicates(), l.duplicates], [words.conflicts(), l.conflicts], [words.unlisted(), l.unlisted]] as const;
  return (
    <section class="closure" aria-label={words.listings()}>
      <h3>{batches.listing({ a: l.completed, n: l.slices })}{l.failed > 0 && <a class="bad" href={batchPath(b.number, 'slices') + '?status=failed'}> · {words.slicesFailed({ n: l.failed })}</a>}</h3>
      <p class="equation">
        <span>{words.sourceTotal()} <b>{figure(l.sourceTotal)}</b></span><em aria-hidden="true">=</em><span><b>{figure(l.found)}</b> {words.found()}</span>
        <em aria-hidden="true">+</em><span class={l.unaccepted > 0 ? 'bad' : ''}><b>{figure(l.shortfall)}</b> {words.shortfall()}</span>
      </p>
      <p class="line small faint">{beside.map(([name, n]) => n > 0 && <span key={name}>{name}: <b>{figure(n)}</b></span>)}<span><Left of={b} /></span></p>
    </section>
  );
}

function About({ of: b }: { of: BatchOverview }) {
  return (
    <Facts of={[
      [batches.source(), <a href={`/sources/${segment(b.source)}`}>{b.source}</a>],
      [batches.mode(), modeWord(b.mode)],
      [batches.period(), <Period of={b} />],
      [batches.organizations(), b.scope.organizations?.join(', ') || batches.allOrganizations()],
      [batches.documentTypes(), b.scope.documentTypes?.join(', ') || batches.allTypes()],
      [batches.profile(), <a href={`/profiles/${segment(b.profile)}`}>{b.profile}</a>],
      b.scope.list !== undefined && [batches.list(), restricted() ? b.scope.list : <a href={`/lists/${segment(b.scope.list)}`}>{b.scope.list}</a>],
      b.preflight !== undefined && [batches.preflightOf(), <a href={batchPath(b.preflight)}>{b.preflight}</a>],
      (b.runs?.length ?? 0) > 0 && [batches.runs(), <>{b.runs!.map((r) => <a key={r} href={batchPath(r)}>{r} </a>)}</>],
      [batches.createdAt(), <><Time at={b.createdAt} /> · {b.createdBy}</>],
      b.finishedAt !== undefined && [batches.finishedAt(), <Time at={b.finishedAt} />],
      b.mode === 'migrate' && [words.written(), figure(b.arrived.written)],
      b.mode === 'migrate' && [words.unchanged(), figure(b.arrived.unchanged)],
      b.mode === 'migrate' && b.arrived.newVersions > 0 && [words.newVersions(), figure(b.arrived.newVersions)],
    ]} />
  );
}
