// The causal chain of a document: who commanded what and why, what came of it,
// and what source and target answered.
import type { Cause, Explanation, Step } from '../../api/types';
import { bytes, duration } from '../../base/format';
import { useResource } from '../../base/resource';
import { common } from '../../i18n/common';
import { attemptWord, explain as words, unrecordedWord } from '../../i18n/explain';
import { document as documentWords, eventWord } from '../../i18n/document';
import { wordIn } from '../../i18n/texts';
import { categoryWord } from '../../i18n/words';
import { batchPath } from '../../ui/batch';
import { Told } from '../../ui/failure';
import { Icon } from '../../ui/icons';
import { operationPath } from '../../ui/operations';
import { Skeleton } from '../../ui/parts';
import { ProblemBox } from '../../ui/problem';
import { Status } from '../../ui/status';
import { Empty } from '../../ui/table';
import { Time } from '../../ui/time';

const nameOf = wordIn(eventWord);

const kindOf = (type: string) => type.split('.').at(-2) ?? type;

export function Explain({ path }: { path: string }) {
  const found = useResource<Explanation>(path + '/explain');
  const e = found.data;
  if (!e) return found.problem ? <ProblemBox problem={found.problem} again={found.reload} /> : <Skeleton lines={8} />;
  return (
    <>
      <p class="faint quiet">{words.intro()}</p>
      <ol class="timeline">
        <li>
          <Time at={e.made.time} />
          <div><b>{words.made()}</b> <a href={batchPath(e.batch)}>{e.batch}</a><p class="line small faint"><span>{e.made.actor?.subject}</span>{e.made.requestId && <span>{common.requestId()} <code>{e.made.requestId}</code></span>}</p></div>
        </li>
        {e.omitted > 0 && <li><span /><p class="faint">{words.omitted({ n: e.omitted })}</p></li>}
        {e.steps.map((s) => <OneStep key={s.command} of={s} batch={e.batch} />)}
      </ol>
      {e.steps.length === 0 && <Empty title={words.nothing()} />}
    </>
  );
}

function OneStep({ of: s, batch }: { of: Step; batch: string }) {
  const last = s.events.at(-1);
  return (
    <li class={last?.statusAfter}>
      <Time at={s.time} />
      <div>
        <p class="line">{s.events.map((v) => <span key={v.offset}><b>{nameOf(kindOf(v.type))}</b>{v.statusBefore !== v.statusAfter && <> <Status of={v.statusAfter} /></>}</span>)}</p>
        {s.cause && <p class="small"><Icon name="arrow" size={10} /> {words.cause()} <Because of={s.cause} /></p>}
        {s.attempt && <Tried of={s.attempt} />}
        {(s.unrecorded?.length ?? 0) > 0 && <p class="small faint">{words.unrecorded()}: {s.unrecorded!.map(unrecordedWord).join('; ')}</p>}
        <p class="line small faint">
          <span>{s.actor.subject}</span>{s.initiator && <span>{documentWords.onBehalf({ what: s.initiator.subject })}</span>}{s.approver && <span>{documentWords.approvedBy({ what: s.approver.subject })}</span>}
          {s.batch !== batch && <a href={batchPath(s.batch)}>{s.batch}</a>}{s.operation && <a href={operationPath(s.operation)}>{words.operation()}</a>}
        </p>
        <p class="line small faint">
          {s.requestId && <span>{common.requestId()} <code>{s.requestId}</code></span>}{s.correlationId && s.correlationId !== s.requestId && <span>{words.correlation()} <code>{s.correlationId}</code></span>}
          <span>{words.command()} <code>{s.command}</code></span><span>{words.build()} <code>{s.build}</code></span>
        </p>
      </div>
    </li>
  );
}

function Because({ of: c }: { of: Cause }) {
  return <span>{c.type ? nameOf(kindOf(c.type)) : <code>{c.event}</code>} {c.time && <span class="faint"><Time at={c.time} /></span>} {c.actor?.subject}</span>;
}

const took = (ms: number) => (ms < 1000 ? `${ms} ms` : duration(ms / 1000));

function Tried({ of: a }: { of: NonNullable<Step['attempt']> }) {
  return (
    <div class="tried">
      <p><b>{words.attempt({ n: a.number })}</b>: {attemptWord(a.outcome)}</p>
      <p class="line small faint">
        <span>{words.queue()} {took(a.queueMs)}</span><span>{words.fetch()} {took(a.fetchMs)}</span><span>{words.validate()} {took(a.validateMs)}</span><span>{words.store()} {took(a.storeMs)}</span>
        <span>{words.received()} {bytes(a.bytesReceived)}</span><span>{words.kept()} {bytes(a.bytesStored)}</span><span>{words.sourceSettings({ n: a.sourceVersion })}</span>
        {a.profile && <span>{documentWords.ruleSet({ profile: a.profile, v: a.profileVersion, r: a.ruleSet ?? '' })}</span>}
      </p>
      {a.failure && <p class="bad"><Icon name="cross" size={12} /> {categoryWord(a.failure.category)} <code>{a.failure.code}</code> <Told of={a.failure} /></p>}
      {a.nextAttempt && <p class="small">{words.nextAttempt()} <Time at={a.nextAttempt} /></p>}
      {(a.answers?.length ?? 0) > 0 && (
        <details><summary>{words.answers()}</summary>
          <ul>{a.answers!.map((x, i) => <li key={i} class="small"><b>{x.by === 'source' ? words.source() : words.target()}</b> {x.httpStatus && `HTTP ${x.httpStatus}`} <code>{x.sourceCode || x.code}</code> {x.detail} {x.traceId && <code>{x.traceId}</code>}</li>)}</ul>
        </details>
      )}
    </div>
  );
}
