import type { Approval, Batch, Overview, PageOf, Throughput as Step } from '../api/types';
import { runs, useBatches } from '../base/batches';
import { clock, day, number } from '../base/format';
import { at, go, here, urlOf } from '../base/place';
import { useResource } from '../base/resource';
import { may, restricted } from '../base/session';
import { common } from '../i18n/common';
import { overview as words } from '../i18n/overview';
import { batches as batchWords } from '../i18n/batches';
import { categoryWord } from '../i18n/words';
import { BatchLink, BatchProgress, BatchStatus, periodOf } from '../ui/batch';
import { Closure } from '../ui/closure';
import { Columns } from '../ui/chart';
import { Icon } from '../ui/icons';
import { Figure, Page, Panel, Skeleton } from '../ui/parts';
import { ProblemBox } from '../ui/problem';
import { Empty } from '../ui/table';
import { Time } from '../ui/time';

export default function OverviewPage() {
  const batches = useBatches('/v1/batches?limit=50');
  const total = useResource<Overview>('/v1/overview', { live: { kind: 'batch' } });
  const create = may('batches:write') && <a class="button primary" href="/batches/new"><Icon name="plus" size={14} />{batchWords.create()}</a>;
  if (batches.data?.items.length === 0) {
    return (
      <Page title={words.title()}>
        <Empty title={words.welcome()}><p>{words.welcomeHelp()}</p>{may('batches:write') && <a class="button primary" href="/batches/new">{words.first()}</a>}</Empty>
      </Page>
    );
  }
  return (
    <Page title={words.title()} actions={create}>
      {total.problem && !total.data ? null : <Figures of={total.data} />}
      <div class="columns">
        <div>
          <Running of={batches.data?.items} />
          {batches.problem && <ProblemBox problem={batches.problem} again={batches.reload} />}
          <Throughput />
        </div>
        <div>
          <Failures of={total.data} />
          {total.problem && <ProblemBox problem={total.problem} again={total.reload} />}
          {total.data && (
            <Panel>
              <Closure title={words.documents()} listed={words.listed()} counts={total.data.documents} />
              <Closure title={words.files()} listed={words.listed()} counts={total.data.files} />
            </Panel>
          )}
        </div>
      </div>
    </Page>
  );
}

function Figures({ of }: { of?: Overview }) {
  const decides = may('approvals:read') && !restricted();
  const approvals = useResource<PageOf<Approval>>(decides ? '/v1/approvals?status=pending' : null, { live: { kind: 'batch' } });
  const waiting = approvals.data?.items.length ?? 0;
  if (!of) return <div class="figures">{[1, 2, 3, 4, 5].map((i) => <div key={i} class="figure"><span class="skeleton" /></div>)}</div>;
  return (
    <div class="figures">
      <Figure name={words.migrated()} value={number(of.documents.migrated)} note={words.ofTotal({ n: of.documents.total })} />
      <Figure name={words.pending()} value={number(of.documents.pending)} />
      <Figure name={words.failed()} value={number(of.documents.failed)} tone={of.documents.failed > 0 ? 'bad' : ''} to="/failures" />
      <Figure name={words.skipsDue()} value={number(of.skipsDue)} tone={of.skipsDue > 0 ? 'warn' : ''} to="/skips?due=true" note={words.skipped({ n: of.skipped })} />
      {decides && <Figure name={words.approvals()} value={approvals.data ? number(waiting) + (approvals.data.next ? '+' : '') : '–'} tone={waiting > 0 ? 'warn' : ''} to="/approvals?status=pending" />}
    </div>
  );
}

function Running({ of }: { of?: Batch[] }) {
  if (!of) return <Panel title={words.running()}><Skeleton /></Panel>;
  const running = of.filter(runs);
  const shown = running.length > 0 ? running : of.slice(0, 6);
  return (
    <Panel title={running.length > 0 ? words.running() : words.recent()} aside={<a href="/batches">{words.all()}</a>}>
      {running.length === 0 && <p class="faint quiet">{words.nothingRuns()} {words.nothingRunsHelp()}</p>}
      <ul class="running">
        {shown.map((b) => (
          <li key={b.number}>
            <div class="line"><BatchLink of={b} /><BatchStatus of={b} /><span class="grow" /><span class="faint small">{b.source} · {periodOf(b)}</span></div>
            <BatchProgress of={b} />
            <div class="line small faint">
              <span>{number(b.documents.migrated + b.documents.passed)} / {number(b.documents.total)}</span>
              {b.documents.failed > 0 && <a class="bad" href={`/batches/${b.number}/documents?status=failed`}>{number(b.documents.failed)} {words.failed()}</a>}
              <span class="grow" /><Time at={b.createdAt} relative />
            </div>
          </li>
        ))}
      </ul>
    </Panel>
  );
}

const spans = { hour: [3600, 'minute'], day: [86_400, 'hour'], week: [604_800, 'hour'] } as const;

// since is cut to a minute, so that the URL stays while one looks.
const since = (seconds: number) => new Date(Math.floor(Date.now() / 60_000 - seconds / 60) * 60_000).toISOString();

function Throughput() {
  const span = (at('span') in spans ? at('span') : 'hour') as keyof typeof spans;
  const [seconds, step] = spans[span];
  const steps = useResource<PageOf<Step>>(urlOf('/v1/throughput', { since: since(seconds), step, limit: 1000 }), { live: { kind: 'batch' } });
  const choices = [['hour', words.lastHour()], ['day', words.lastDay()], ['week', words.lastWeek()]] as const;
  return (
    <Panel title={words.throughput()} aside={
      <select aria-label={words.throughput()} value={span} onChange={(e) => go(here({ span: e.currentTarget.value }), true)}>
        {choices.map(([v, text]) => <option key={v} value={v} selected={v === span}>{text}</option>)}
      </select>
    }>
      {steps.problem && <ProblemBox problem={steps.problem} again={steps.reload} />}
      {!steps.data ? !steps.problem && <Skeleton /> : steps.data.items.length === 0
        ? <p class="faint quiet">{words.noThroughput()}</p>
        : <Columns steps={filled(steps.data.items, seconds, step)} label={step === 'minute' ? words.perMinute() : words.perHour()} names={[batchWords.migrated(), batchWords.failed()]}
            at={(t) => (span === 'week' ? day(t).slice(5) + ' ' : '') + clock(t).slice(0, 5)} />}
    </Panel>
  );
}

// filled has a step for each minute or hour: those without events are not in the answer.
function filled(items: Step[], seconds: number, step: 'minute' | 'hour'): Step[] {
  const size = (step === 'minute' ? 60 : 3600) * 1000;
  const known = new Map(items.map((s) => [Math.floor(Date.parse(s.at) / size), s]));
  const last = Math.floor(Date.now() / size);
  return Array.from({ length: Math.round((seconds * 1000) / size) }, (_, i, n = last - Math.round((seconds * 1000) / size) + 1 + i) =>
    known.get(n) ?? { at: new Date(n * size).toISOString(), migrated: 0, failed: 0, bytes: 0 });
}

function Failures({ of }: { of?: Overview }) {
  if (!of) return null;
  const found = Object.entries(of.failures).sort(([, a], [, b]) => b - a);
  const most = found[0]?.[1] ?? 0;
  return (
    <Panel title={words.failures()} aside={<a href="/failures">{common.more()}</a>}>
      {found.length === 0 ? <p class="faint quiet"><Icon name="check" /> {words.noFailures()}</p> : (
        <ul class="ranked">
          {found.map(([category, n]) => (
            <li key={category}>
              <a href={urlOf('/failures', { category })}>{categoryWord(category)}</a><b>{number(n)}</b>
              <div class="bar thin"><i class="failed" style={{ width: `${(100 * n) / most}%` }} /></div>
            </li>
          ))}
        </ul>
      )}
    </Panel>
  );
}
