// Rebuilds and rollbacks: how far each is, and what it found.
import type { PageOf, Rebuild, RebuiltView } from '../../api/types';
import { decimal, duration, number, percent } from '../../base/format';
import { useEvery } from '../../base/every';
import { segment } from '../../base/place';
import { useResource } from '../../base/resource';
import { kindOfRebuild, projections as words, stageWord, viewWord } from '../../i18n/projections';
import { common } from '../../i18n/common';
import { batchPath } from '../../ui/batch';
import { Dialog, show } from '../../ui/dialog';
import { Facts, Skeleton } from '../../ui/parts';
import { ProblemBox } from '../../ui/problem';
import { Status } from '../../ui/status';
import { Empty, Table, type Column } from '../../ui/table';
import { Time } from '../../ui/time';
import { cancel, rebuild } from './actions';

const readEvery = 2000;

const goesOn = (r: Rebuild) => ['waiting', 'running', 'interrupted'].includes(r.state);

export function Rebuilds() {
  const rebuilds = useResource<PageOf<Rebuild>>('/v1/projections/rebuilds', { after: false });
  useEvery(readEvery, rebuilds.reload, rebuilds.data?.items.some(goesOn) ?? false);
  return (
    <>
      <h2 class="section">{words.rebuilds()}</h2>
      <Table label={words.rebuilds()} columns={columns()} of={rebuilds} id={(r) => r.id} empty={<Empty title={words.none()}><p>{words.noneHelp()}</p></Empty>} />
    </>
  );
}

// So many views are named; of more, only how many.
const named = 3;

const viewsOf = (r: Rebuild) => (r.views.length > named ? words.viewCount({ n: r.views.length }) : r.views.map(viewWord).join(', '));

function Progress({ of: r }: { of: Rebuild }) {
  const p = r.progress;
  if (!goesOn(r)) return <Found of={r} />;
  if (!p) return <span class="faint">–</span>;
  return (
    <div class="progress">
      {p.total !== undefined && <div class="bar thin" role="img" aria-label={percent(p.done, p.total)}><i class="passed" style={{ width: `${(100 * p.done) / Math.max(p.total, 1)}%` }} /></div>}
      <span class="small">{stageWord(p.stage)} · {number(p.done)}{p.total !== undefined && ` / ${number(p.total)}`}</span>
      <span class="faint small">{words.rate({ n: decimal(p.rate, 0) })}{(p.secondsLeft ?? 0) > 0 && ` · ${words.left({ time: duration(p.secondsLeft!) })}`}</span>
    </div>
  );
}

function Found({ of: r }: { of: Rebuild }) {
  const [rows, different] = r.results.reduce(([n, d], v) => [n + v.rows, d + v.different], [0, 0]);
  if (r.error) return <span class="bad clip" title={r.error}>{r.error}</span>;
  if (r.results.length === 0) return <span class="faint">–</span>;
  if (r.kind === 'rollback') return <span>{words.swapped({ n: r.results[0].version })}</span>;
  return <span>{words.rows({ n: rows })}, {different === 0 ? words.equal() : <b class="bad">{words.different({ n: different })}</b>}</span>;
}

function Detail({ id }: { id: string }) {
  const rebuilt = useResource<Rebuild>(`/v1/projections/rebuilds/${segment(id)}`, { after: false });
  const r = rebuilt.data;
  useEvery(readEvery, rebuilt.reload, r !== undefined && goesOn(r));
  if (!r) return <Dialog title={words.details()} wide>{rebuilt.problem ? <ProblemBox problem={rebuilt.problem} again={rebuilt.reload} /> : <Skeleton />}</Dialog>;
  return (
    <Dialog title={`${kindOfRebuild(r.kind)}: ${viewsOf(r)}`} wide>
      <Facts of={[
        [words.state(), <Status of={r.state} />], [words.reason(), r.reason], [words.at(), <><Time at={r.requestedAt} /> · {r.requestedBy}</>], [words.ended(), <Time at={r.endedAt} />],
        [words.from(), r.from === 'kafka' ? words.kafka() : words.journal()], [words.accept(), r.acceptDifferences ? common.yes() : common.no()], r.batch !== undefined && [words.batch(), <a href={batchPath(r.batch)}>{r.batch}</a>],
        goesOn(r) && [words.progress(), <Progress of={r} />], r.attempt > 1 && [words.attempts(), number(r.attempt)],
      ]} />
      {r.error && <p class="bad below">{r.error}</p>}
      {r.results.map((v) => <Result key={v.view} of={v} />)}
      {r.state === 'differs' && <footer><button type="button" onClick={() => rebuild(r.views, r.views.length === 1 ? r.views[0] : undefined, true)}>{words.again()}</button></footer>}
    </Dialog>
  );
}

function Result({ of: v }: { of: RebuiltView }) {
  return (
    <section class="result">
      <p class="line">
        <b>{viewWord(v.view)}</b><span>{words.rows({ n: v.rows })}</span>
        <Status of={v.different === 0 ? 'ok' : 'differs'} word={v.different === 0 ? words.equal() : words.different({ n: v.different })} />
        {v.keptVersion !== undefined && <span class="faint">{words.swapped({ n: v.version })}{v.swapSeconds !== undefined && `, ${words.locked({ what: `${decimal(v.swapSeconds, 3)} s` })}`}</span>}
        {v.replaced && <span class="faint">{words.replaced()}</span>}
      </p>
      {v.differences.length > 0 && (
        <table class="data" aria-label={words.first()}>
          <thead><tr>{[words.table(), words.key(), words.live(), words.rebuilt()].map((h) => <th key={h} scope="col">{h}</th>)}</tr></thead>
          <tbody>
            {v.differences.map((d, i) => (
              <tr key={i}>
                <td data-label={words.table()}><code>{d.table}</code></td><td data-label={words.key()}><code>{d.key ?? '–'}</code></td>
                <td data-label={words.live()}><code>{d.live ?? words.missing()}</code></td><td data-label={words.rebuilt()}><code>{d.rebuilt ?? words.missing()}</code></td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}

const columns = (): Column<Rebuild>[] => [
  { key: 'at', head: words.at(), cell: (r) => <Time at={r.requestedAt} /> },
  { key: 'kind', head: words.kind(), cell: (r) => <span><b>{kindOfRebuild(r.kind)}</b> {viewsOf(r)}{r.batch && <> {words.ofBatch({ what: r.batch })}</>}</span> },
  { key: 'state', head: words.state(), cell: (r) => <Status of={r.state} /> },
  { key: 'progress', head: words.progress(), cell: (r) => <Progress of={r} /> },
  { key: 'by', head: words.by(), minor: true, cell: (r) => r.requestedBy },
  { key: 'reason', head: words.reason(), minor: true, cell: (r) => <span class="clip" title={r.reason}>{r.reason}</span> },
  { key: 'act', head: common.actions(), cell: (r) => (
    <div class="buttons">
      {goesOn(r) && <button type="button" class="danger" onClick={() => cancel(r)}>{words.cancel()}</button>}
      <button type="button" class="plain" onClick={() => show(<Detail id={r.id} />)}>{words.details()}</button>
    </div>
  ) },
];
