import type { BatchOverview, PreflightReport, ReportCount } from '../../api/types';
import { bytes, number } from '../../base/format';
import { segment, urlOf } from '../../base/place';
import { useResource } from '../../base/resource';
import { report as words } from '../../i18n/batch';
import { categoryWord, severityWord } from '../../i18n/words';
import { batchPath } from '../../ui/batch';
import { Icon } from '../../ui/icons';
import { Figure, Panel, Skeleton } from '../../ui/parts';
import { ProblemBox } from '../../ui/problem';

export function Report({ batch }: { batch: BatchOverview }) {
  const report = useResource<PreflightReport>(`/v1/batches/${segment(batch.number)}/report`, { live: { batch: batch.number } });
  const r = report.data;
  if (!r) return report.problem ? <ProblemBox problem={report.problem} again={report.reload} /> : <Skeleton lines={8} />;
  const documents = (query: Record<string, string>) => urlOf(batchPath(batch.number, 'documents'), { status: 'failed', ...query });
  return (
    <>
      <div class="filters"><span class="grow" /><a class="button" href={`/v1/batches/${segment(batch.number)}/report.csv`} download><Icon name="download" size={14} />{words.csv()}</a></div>
      <div class="figures">
        <Figure name={words.judged()} value={number(r.judged.documents)} note={`${number(r.judged.files)} ${words.files()}`} />
        <Figure name={words.wouldFail()} value={number(r.judged.failed)} tone={r.judged.failed > 0 ? 'bad' : ''} />
        <Figure name={words.bytes()} value={bytes(r.judged.bytes)} />
      </div>
      <Panel title={words.rules()}>
        {r.rules.length === 0 ? <p class="faint quiet">{words.none()}</p> : (
          <table class="data">
            <thead><tr><th>{words.rule()}</th><th>{words.severity()}</th><th class="number">{words.documents()}</th><th class="number">{words.files()}</th><th class="number">{words.failed()}</th></tr></thead>
            <tbody>{r.rules.map((x) => (
              <tr key={x.rule + x.code}><td data-label={words.rule()}><a href={`/profiles?rule=${x.rule}`}>{x.rule}</a> <code>{x.code}</code></td><td data-label={words.severity()}>{severityWord(x.severity)}</td>
                <td class="number" data-label={words.documents()}>{x.failed > 0 ? <a href={documents({ code: x.code })}>{number(x.documents)}</a> : number(x.documents)}</td>
                <td class="number" data-label={words.files()}>{number(x.files)}</td><td class="number" data-label={words.failed()}>{number(x.failed)}</td></tr>
            ))}</tbody>
          </table>
        )}
      </Panel>
      <div class="split even">
        <Counts title={words.categories()} of={r.categories} word={categoryWord} link={(category) => documents({ category })} />
        <Counts title={words.organizations()} of={r.organizations} link={(organization) => documents({ organization })} />
        <Counts title={words.types()} of={r.documentTypes} link={(documentType) => documents({ documentType })} />
      </div>
    </>
  );
}

function Counts({ title, of, word = (v) => v, link }: { title: string; of: ReportCount[]; word?: (v: string) => string; link: (v: string) => string }) {
  if (of.length === 0) return null;
  return (
    <Panel title={title}>
      <table class="data">
        <thead><tr><th>{words.value()}</th><th class="number">{words.documents()}</th><th class="number">{words.failed()}</th><th class="number">{words.bytes()}</th></tr></thead>
        <tbody>{of.map((c) => (
          <tr key={c.value}><td data-label={words.value()}><a href={link(c.value)}>{word(c.value) || '–'}</a></td><td class="number" data-label={words.documents()}>{number(c.documents)}</td>
            <td class="number" data-label={words.failed()}>{number(c.failed)}</td><td class="number" data-label={words.bytes()}>{bytes(c.bytes)}</td></tr>
        ))}</tbody>
      </table>
    </Panel>
  );
}
