import type { Batch } from '../api/types';
import { runs, useBatches } from '../base/batches';
import { number } from '../base/format';
import { may } from '../base/session';
import { overview as words } from '../i18n/overview';
import { batches as batchWords } from '../i18n/batches';
import { BatchLink, BatchProgress, BatchStatus, periodOf } from '../ui/batch';
import { Icon } from '../ui/icons';
import { Page, Panel, Skeleton } from '../ui/parts';
import { ProblemBox } from '../ui/problem';
import { Empty } from '../ui/table';
import { Time } from '../ui/time';

export default function OverviewPage() {
  const batches = useBatches('/v1/batches?limit=50');
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
      {batches.problem && <ProblemBox problem={batches.problem} again={batches.reload} />}
      <Running of={batches.data?.items} />
    </Page>
  );
}

function Running({ of }: { of?: Batch[] }) {
  if (!of) return <Panel title={words.running()}><Skeleton /></Panel>;
  const running = of.filter(runs);
  const shown = running.length > 0 ? running : of.slice(0, 6);
  return (
    <Panel title={running.length > 0 ? words.running() : words.recent()} aside={<a href="/batches">{words.all()}</a>}>
      {running.length === 0 && <p class="faint quiet">{words.nothingRuns()}. {words.nothingRunsHelp()}</p>}
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
