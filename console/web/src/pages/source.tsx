// One source: its settings, its pace, and whether it can be read.
import { useState } from 'preact/hooks';
import type { Pace as PaceNow, PageOf, Source, SourceReport } from '../api/types';
import { number } from '../base/format';
import { useEvery } from '../base/every';
import { segment, urlOf } from '../base/place';
import { useResource } from '../base/resource';
import { may } from '../base/session';
import { pace as paceWords, sourceActions, sources as words } from '../i18n/sources';
import { common } from '../i18n/common';
import { Page, Panel, Skeleton } from '../ui/parts';
import { ProblemBox } from '../ui/problem';
import { Status } from '../ui/status';
import { Table, type Column } from '../ui/table';
import { Time } from '../ui/time';
import { check, EnableButton, sourcePath } from './source/actions';
import { CheckResult, type Checked } from './source/check';
import { SourceFacts } from './source/facts';

export default function SourcePage({ id }: { id: string }) {
  const source = useResource<Source>(`/v1/sources/${segment(id)}`);
  const [checked, setChecked] = useState<Checked>();
  const s = source.data;
  const crumbs: [string, string][] = [['/sources', words.title()]];
  if (!s) return <Page title={id} crumbs={crumbs}>{source.problem ? <ProblemBox problem={source.problem} again={source.reload} /> : <Skeleton lines={8} />}</Page>;
  const tryIt = () => check(s, (report: SourceReport) => setChecked({ report, at: new Date().toISOString() }));
  return (
    <Page title={s.name} crumbs={crumbs} status={<Status of={s.status} />} actions={<Actions of={s} tryIt={tryIt} />}>
      {source.problem && <ProblemBox problem={source.problem} again={source.reload} />}
      <p class="line below"><code class="faint">{s.id}</code><a href={urlOf('/batches', { source: s.id })}>{words.batches()}</a></p>
      {checked && <CheckResult of={checked} again={tryIt} />}
      <SourceFacts of={s} />
      <PaceOfSource id={s.id} />
    </Page>
  );
}

function Actions({ of: s, tryIt }: { of: Source; tryIt: () => void }) {
  return (
    <>
      {may('batches:write') && s.status === 'enabled' && <a class="button primary" href={urlOf('/batches/new', { source: s.id })}>{words.newBatch()}</a>}
      {may('sources:write') && <button type="button" onClick={tryIt}>{sourceActions.check()}</button>}
      {may('sources:write') && <a class="button" href={sourcePath(s.id, 'edit')}>{common.edit()}</a>}
      {may('sources:write') && <EnableButton of={s} />}
    </>
  );
}

const paceEvery = 5000;

function PaceOfSource({ id }: { id: string }) {
  const paces = useResource<PageOf<PaceNow>>(`/v1/sources/${segment(id)}/paces`, { after: false });
  useEvery(paceEvery, paces.reload);
  return (
    <Panel title={paceWords.title()}>
      <Table label={paceWords.title()} columns={columns()} of={paces} id={(p) => p.process} empty={<p class="quiet faint">{paceWords.none()}</p>} />
    </Panel>
  );
}

const columns = (): Column<PaceNow>[] => [
  { key: 'process', head: paceWords.process(), cell: (p) => <code>{p.process}</code> },
  { key: 'concurrency', head: paceWords.concurrency(), number: true, cell: (p) => number(p.concurrency) },
  { key: 'requests', head: paceWords.requests(), number: true, cell: (p) => number(p.requests) },
  { key: 'waiting', head: paceWords.waiting(), number: true, cell: (p) => number(p.waiting) },
  { key: 'rest', head: paceWords.rest(), cell: (p) => (p.restUntil ? <span>{paceWords.until()} <Time at={p.restUntil} />{p.rest && <><br /><span class="faint small">{p.rest.detail}</span></>}</span> : <span class="faint">–</span>) },
  { key: 'seen', head: paceWords.seen(), cell: (p) => <Time at={p.seenAt} relative /> },
];
