// A document: what became of it, its files by class, and all that happened.
import type { DocumentWithFiles, RuleResult, RuleTable } from '../api/types';
import { segment } from '../base/place';
import { language } from '../base/preferences';
import { at, here } from '../base/place';
import { useResource } from '../base/resource';
import { may } from '../base/session';
import { batches } from '../i18n/batches';
import { document as words } from '../i18n/document';
import { categoryWord, severityWord, stageWord } from '../i18n/words';
import { batchPath } from '../ui/batch';
import { Told } from '../ui/failure';
import { Icon } from '../ui/icons';
import { Facts, Page, Panel, Skeleton } from '../ui/parts';
import { ProblemBox } from '../ui/problem';
import { Status } from '../ui/status';
import { Time } from '../ui/time';
import * as act from './document/actions';
import { Files } from './document/files';
import { History } from './document/history';
import { Explain } from './document/explain';

export default function DocumentPage({ number, id }: { number: string; id: string }) {
  const path = `/v1/batches/${segment(number)}/documents/${segment(id)}`;
  const document = useResource<DocumentWithFiles>(path, { live: { kind: 'batch', batch: number } });
  const rules = useResource<RuleTable>('/v1/rules', { after: false });
  const d = document.data;
  const crumbs: [string, string][] = [['/batches', batches.title()], [batchPath(number), number]];
  if (!d) return <Page title={id} crumbs={crumbs}>{document.problem ? <ProblemBox problem={document.problem} again={document.reload} /> : <Skeleton lines={8} />}</Page>;
  const tabs = [['files', words.tabFiles()], ...(may('history:read') ? [['history', words.tabHistory()]] : []), ...(may('documents:explain') ? [['explain', words.tabExplain()]] : [])];
  const tab = tabs.find(([t]) => t === at('tab'))?.[0] ?? 'files';
  return (
    <Page title={d.imageNumber || id} crumbs={crumbs} status={<Status of={d.status} />} actions={<Actions number={number} of={d} />}>
      {document.problem && <ProblemBox problem={document.problem} again={document.reload} />}
      {d.failure && <Failed of={d} rules={rules.data} />}
      <Panel><About of={d} /></Panel>
      {d.judgement && d.judgement.rules.length > 0 && <Panel title={words.documentRules()}><Broken rules={d.judgement.rules} table={rules.data} /></Panel>}
      <nav class="tabs" aria-label={id}>{tabs.map(([t, text]) => <a key={t} href={here({ tab: t === 'files' ? '' : t })} aria-current={t === tab ? 'page' : undefined}>{text}</a>)}</nav>
      {tab === 'files' && <Files number={number} of={d} rules={rules.data} />}
      {tab === 'history' && <History path={path} />}
      {tab === 'explain' && <Explain path={path} />}
    </Page>
  );
}

function Actions({ number, of: d }: { number: string; of: DocumentWithFiles }) {
  const changes = may('documents:write');
  return (
    <>
      {changes && d.status === 'failed' && <button type="button" class="primary" onClick={() => act.retry(number, d)}><Icon name="retry" size={14} />{words.retry()}</button>}
      {changes && d.status === 'failed' && <button type="button" onClick={() => act.except(number, d)}>{words.except()}</button>}
      {changes && d.status === 'excepted' && <button type="button" onClick={() => act.revoke(number, d)}>{words.revoke()}</button>}
      {changes && <button type="button" onClick={() => act.rehearse(number, d)}>{words.rehearse()}</button>}
    </>
  );
}

// remedyOf a finding in the reader's language; the table of rules has both.
export function remedyOf(table: RuleTable | undefined, code: string | undefined, otherwise = ''): string {
  const finding = table?.items.flatMap((r) => r.findings).find((f) => f.code === code);
  return finding ? finding.remedy[language.value] : otherwise;
}

function Failed({ of: d, rules }: { of: DocumentWithFiles; rules?: RuleTable }) {
  const f = d.failure!;
  return (
    <section class="panel failed-why">
      <Icon name="warning" size={20} />
      <div class="grow">
        <strong>{categoryWord(f.category)} · {stageWord(f.stage)} <code>{f.code}</code></strong>
        <p><Told of={f} /></p>
        <p><b>{words.whatToDo()}:</b> {remedyOf(rules, f.code, f.remedy)}</p>
        <p class="line small faint"><span>{f.retryable ? words.retryable() : words.notRetryable()}</span>{f.traceId && <span>{words.sourceTrace()} <code>{f.traceId}</code></span>}</p>
      </div>
    </section>
  );
}

function About({ of: d }: { of: DocumentWithFiles }) {
  return (
    <Facts of={[
      [words.image(), <code>{d.imageNumber || '–'}</code>], [words.resource(), d.resource], [words.bill(), d.billNumber ?? '–'], [words.type(), d.documentType], [words.organization(), d.organization],
      [words.date(), d.billDate ?? '–'], [words.retention(), d.retention ?? '–'], [words.discovered(), <Time at={d.discoveredAt} />], [words.changed(), <Time at={d.changedAt} />], [words.attempt(), d.attempt],
      d.nextAttempt !== undefined && [words.nextAttempt(), <Time at={d.nextAttempt} />],
      d.reason !== undefined && [words.reason(), d.reason],
      d.judgement && [words.profile(), <a href={`/profiles/${segment(d.judgement.profile)}`}>{words.ruleSet({ profile: d.judgement.profile, v: d.judgement.profileVersion, r: d.judgement.ruleSet })}</a>],
      d.verified && [words.verified(), <Time at={d.verified.at} />],
      d.filed && [words.filed(), `${d.filed.target}: ${d.filed.resource}/${d.filed.imageNumber}`],
      d.manifest !== undefined && [words.manifest(), <code class="break">{d.manifest}</code>],
    ]} />
  );
}

export function Broken({ rules, table }: { rules: RuleResult[]; table?: RuleTable }) {
  return (
    <ul class="broken">
      {rules.map((r) => (
        <li key={r.rule + r.code} class={r.severity}>
          <span class={`status ${r.severity === 'block' ? 'bad' : r.severity === 'warn' ? 'warn' : 'calm'}`}><Icon name={r.severity === 'block' ? 'cross' : 'warning'} size={12} />{severityWord(r.severity)}</span>
          <div><b>{r.rule}</b> {r.code && <code>{r.code}</code>} <Told of={r} />{r.measured && <span class="faint"> · {words.measured({ what: r.measured })}</span>}<br /><span class="faint">{remedyOf(table, r.code)}</span></div>
        </li>
      ))}
    </ul>
  );
}

