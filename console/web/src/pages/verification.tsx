// A verification: what was read again, and what it found that is not as it was stored.
import { useEffect } from 'preact/hooks';
import type { PageOf, Verification, VerificationFinding } from '../api/types';
import { useEvery } from '../base/every';
import { bytes, number } from '../base/format';
import { at, segment, urlOf } from '../base/place';
import { useResource } from '../base/resource';
import { verifications as words } from '../i18n/batch';
import { batches } from '../i18n/batches';
import { batchPath, documentPath } from '../ui/batch';
import { Facts, Figure, Page, Panel, Skeleton } from '../ui/parts';
import { ProblemBox } from '../ui/problem';
import { Status } from '../ui/status';
import { Choice, Empty, Filters, Table, type Column } from '../ui/table';
import { Time } from '../ui/time';

const faults = () => [['missing', words.missing()], ['changed', words.changed()], ['unverifiable', words.unverifiable()], ['extra', words.extra()]] as const;

const readEvery = 4000;

export default function VerificationPage({ id }: { id: string }) {
  const path = `/v1/verifications/${segment(id)}`;
  const verification = useResource<Verification>(path, { live: { kind: 'batch' } });
  const findings = useResource<PageOf<VerificationFinding>>(urlOf(path + '/findings', { fault: at('fault'), cursor: at('cursor'), limit: 100 }), { live: { kind: 'batch' } });
  const v = verification.data;
  useEvery(readEvery, verification.reload, v?.status === 'running');
  useEffect(findings.reload, [v?.changedAt]);
  const crumbs: [string, string][] = v ? [['/batches', batches.title()], [batchPath(v.batch, 'verifications'), v.batch]] : [['/batches', batches.title()]];
  if (!v) return <Page title={words.title()} crumbs={crumbs}>{verification.problem ? <ProblemBox problem={verification.problem} again={verification.reload} /> : <Skeleton lines={8} />}</Page>;
  const d = v.documents;
  const flawed = (n: number) => (n > 0 ? 'bad' : '');
  return (
    <Page title={words.title()} crumbs={crumbs} status={<Status of={v.status} />}>
      <div class="figures">
        <Figure name={words.documents()} value={`${number(v.selected - v.left)} / ${number(v.selected)}`} />
        <Figure name={words.intact()} value={number(d.intact)} />
        <Figure name={words.missing()} value={number(d.missing)} tone={flawed(d.missing)} />
        <Figure name={words.changed()} value={number(d.changed)} tone={flawed(d.changed)} />
        <Figure name={words.unverifiable()} value={number(d.unverifiable)} tone={flawed(d.unverifiable)} />
        <Figure name={words.extra()} value={number(d.extra)} />
      </div>
      <Panel>
        <Facts of={[
          [words.reason(), v.reason], [words.at(), <><Time at={v.requestedAt} /> · {v.requestedBy}</>], [words.bytes(), bytes(v.bytes)],
          v.sample && [words.sample(), words.sampleOf({ what: v.sample.count !== undefined ? number(v.sample.count) : `${v.sample.percent}%`, seed: String(v.sample.seed) })],
          [words.unhashed(), number(v.unhashed)],
        ]} />
      </Panel>
      <Filters names={['fault']}><Choice name="fault" label={words.fault()} options={[...faults()]} /></Filters>
      <Table label={words.findings()} columns={columns(v.batch)} of={findings} id={(f) => `${f.document}${f.key}${f.round}${f.fault}`} filtered={at('fault') !== ''}
        empty={<Empty title={words.noFindings()}><p>{words.noFindingsHelp()}</p></Empty>} />
    </Page>
  );
}

const columns = (batch: string): Column<VerificationFinding>[] => [
  { key: 'document', head: words.document(), cell: (f) => <a href={documentPath(batch, f.document)}>{f.document}</a> },
  { key: 'fault', head: words.fault(), cell: (f) => <span class={f.fault === 'extra' ? 'status calm' : 'status bad'}>{faults().find(([k]) => k === f.fault)?.[1]}</span> },
  { key: 'file', head: words.file(), cell: (f) => f.file ?? '–' },
  { key: 'key', head: words.object(), cell: (f) => <code>{f.key}</code> },
  { key: 'detail', head: words.detail(), cell: (f) => f.detail ?? <span class="faint">–</span> },
];
