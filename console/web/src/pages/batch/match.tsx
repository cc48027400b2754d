import type { BatchOverview, Match, MatchedItem, PageOf } from '../../api/types';
import { number } from '../../base/format';
import { at, go, here, segment, urlOf } from '../../base/place';
import { useResource } from '../../base/resource';
import { match as words } from '../../i18n/batch';
import { Icon } from '../../ui/icons';
import { Segments } from '../../ui/fields';
import { Figure, Skeleton } from '../../ui/parts';
import { ProblemBox } from '../../ui/problem';
import { Empty, Filters, Table, Words, type Column } from '../../ui/table';

export function MatchWithList({ batch }: { batch: BatchOverview }) {
  const path = `/v1/batches/${segment(batch.number)}/match`;
  const found = useResource<Match>(path, { live: { batch: batch.number } });
  const which = ['matched', 'not-found', 'unlisted'].includes(at('which')) ? at('which') : 'not-found';
  const items = useResource<PageOf<MatchedItem>>(urlOf(`${path}/${which}`, { text: at('text'), cursor: at('cursor'), limit: 100 }));
  const m = found.data;
  if (!m) return found.problem ? <ProblemBox problem={found.problem} again={found.reload} /> : <Skeleton />;
  return (
    <>
      {!m.ended && <div class="notice"><Icon name="clock" /><span>{words.notEnded()}</span></div>}
      <div class="figures">
        <Figure name={words.entries()} value={number(m.entries)} note={m.name} />
        <Figure name={words.matched()} value={number(m.matched)} />
        <Figure name={words.notFound()} value={number(m.notFound)} tone={m.notFound > 0 ? 'bad' : ''} />
        {m.unlisted !== undefined && <Figure name={words.unlisted()} value={number(m.unlisted)} />}
      </div>
      <Filters names={['text']}>
        <Segments label={words.which()} name="which" value={which} onValue={(v) => go(here({ which: v }))}
          options={[['not-found', words.notFound()], ['matched', words.matched()], ...(m.unlisted === undefined ? [] : [['unlisted', words.unlisted()] as const])]} />
        <Words name="text" label={words.begins()} />
        <span class="grow" />
        <a class="button" href={urlOf(`${path}/${which}/export`, { text: at('text') })} download><Icon name="download" size={14} />{words.csv()}</a>
      </Filters>
      <Table label={words.which()} columns={columns()} of={items} id={(i) => `${i.number}|${i.imageNumber}`} filtered={at('text') !== ''} empty={<Empty title={words.nothing()} />} />
    </>
  );
}

const columns = (): Column<MatchedItem>[] => [
  { key: 'number', head: words.number(), cell: (i) => i.number ?? '–' },
  { key: 'image', head: words.image(), cell: (i) => i.imageNumber ?? '–' },
  { key: 'bill', head: words.bill(), cell: (i) => i.billNumber ?? '–' },
  { key: 'slice', head: words.slice(), cell: (i) => i.slice ?? '–' },
];
