import type { List, ListEntry, PageOf } from '../api/types';
import { number } from '../base/format';
import { at, segment, urlOf } from '../base/place';
import { useResource } from '../base/resource';
import { may } from '../base/session';
import { lists as words } from '../i18n/lists';
import { kindWord } from '../i18n/words';
import { Facts, Page, Panel, Skeleton } from '../ui/parts';
import { ProblemBox } from '../ui/problem';
import { Empty, Filters, Table, Words, type Column } from '../ui/table';
import { Time } from '../ui/time';

export default function ListPage({ id }: { id: string }) {
  const path = `/v1/lists/${segment(id)}`;
  const list = useResource<List>(path);
  const entries = useResource<PageOf<ListEntry>>(urlOf(path + '/entries', { text: at('text'), cursor: at('cursor'), limit: 100 }));
  const l = list.data;
  const crumbs: [string, string][] = [['/lists', words.title()]];
  if (!l) return <Page title={id} crumbs={crumbs}>{list.problem ? <ProblemBox problem={list.problem} again={list.reload} /> : <Skeleton lines={8} />}</Page>;
  const create = may('batches:write') && <a class="button primary" href={urlOf('/batches/new', { list: l.id })}>{words.newBatch()}</a>;
  return (
    <Page title={l.name || l.id} crumbs={crumbs} actions={create}>
      <Panel>
        <Facts of={[
          [words.entries(), number(l.entries)], [words.kind(), kindWord(l.kind)], [words.column(), l.column], [words.duplicates(), number(l.duplicates)], [words.blank(), number(l.blank)],
          [words.uploaded(), <><Time at={l.uploadedAt} /> · {l.uploadedBy}</>], [words.id(), <code>{l.id}</code>], [words.digest(), <code>{l.digest}</code>],
        ]} />
      </Panel>
      <Filters names={['text']}><Words name="text" label={words.begins()} /></Filters>
      <Table label={words.entries()} columns={columns()} of={entries} id={(e) => e.number} filtered={at('text') !== ''} empty={<Empty title={words.noEntries()} />} />
    </Page>
  );
}

const columns = (): Column<ListEntry>[] => [{ key: 'number', head: words.number(), cell: (e) => <code>{e.number}</code> }];
