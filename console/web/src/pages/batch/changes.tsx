import type { BatchComparison, BatchOverview, PageOf, StatusChange } from '../../api/types';
import { number } from '../../base/format';
import { at, go, here, segment, urlOf } from '../../base/place';
import { useResource } from '../../base/resource';
import { changes as words } from '../../i18n/batch';
import { categoryWord } from '../../i18n/words';
import { documentPath } from '../../ui/batch';
import { ProblemBox } from '../../ui/problem';
import { Status } from '../../ui/status';
import { Empty, Table, Words, type Column } from '../../ui/table';
import { Time } from '../../ui/time';
import { Skeleton } from '../../ui/parts';

// instant of what a date field holds: the reader's own time.
const instant = (local: string) => (local ? new Date(local).toISOString() : '');

const ago = (seconds: number) => {
  const t = new Date(Date.now() - seconds * 1000);
  return new Date(t.getTime() - t.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
};

export function Changes({ batch }: { batch: BatchOverview }) {
  const path = `/v1/batches/${segment(batch.number)}/diff`;
  const from = at('from') === 'created' ? batch.createdAt : instant(at('from'));
  const compared = useResource<BatchComparison>(from ? urlOf(path, { from, to: instant(at('to')) }) : null, { after: false });
  const points = compared.data;
  const items = useResource<PageOf<StatusChange>>(points ? urlOf(path + '/documents', { from: points.from, to: points.to, statusBefore: at('before'), statusAfter: at('after'), cursor: at('cursor'), limit: 100 }) : null, { after: false });
  return (
    <>
      <div role="search" class="filters">
        <Words name="from" label={words.since()} type="datetime-local" />
        <Words name="to" label={words.until()} type="datetime-local" />
        <button type="button" onClick={() => go(here({ from: 'created', to: '' }))}>{words.created()}</button>
        <button type="button" onClick={() => go(here({ from: ago(86_400), to: '' }))}>{words.day()}</button>
        <button type="button" onClick={() => go(here({ from: ago(3600), to: '' }))}>{words.hour()}</button>
      </div>
      {!from && <Empty title={words.pick()}><p>{words.pickHelp()}</p></Empty>}
      {from && compared.problem && <ProblemBox problem={compared.problem} again={compared.reload} />}
      {from && compared.loading && !points && <Skeleton />}
      {points && (points.transitions.length === 0 ? <Empty title={words.none()} /> : (
        <>
          <ul class="transitions">
            {points.transitions.map((t) => (
              <li key={`${t.before}${t.after}`}>
                <a href={here({ before: t.before ?? '', after: t.after })}>
                  {t.before ? <Status of={t.before} /> : <span class="faint">{words.new()}</span>} → <Status of={t.after} /> <b>{number(t.documents)}</b>
                </a>
              </li>
            ))}
          </ul>
          <Table label={words.documents()} columns={columns(batch.number)} of={items} id={(c) => c.id} empty={<Empty title={words.none()} />} />
        </>
      ))}
    </>
  );
}

const columns = (batch: string): Column<StatusChange>[] => [
  { key: 'image', head: words.image(), cell: (c) => <a href={documentPath(batch, c.id)}>{c.imageNumber || c.id}</a> },
  { key: 'from', head: words.from(), cell: (c) => (c.before ? <Status of={c.before} /> : <span class="faint">{words.new()}</span>) },
  { key: 'to', head: words.to(), cell: (c) => <Status of={c.after} /> },
  { key: 'why', head: words.why(), cell: (c) => (c.category ? <>{categoryWord(c.category)} <code>{c.code}</code></> : <span class="faint">–</span>) },
  { key: 'at', head: words.at(), cell: (c) => <Time at={c.changedAt} /> },
];
