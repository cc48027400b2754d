import type { List, PageOf } from '../api/types';
import { number } from '../base/format';
import { at, urlOf } from '../base/place';
import { useResource } from '../base/resource';
import { may } from '../base/session';
import { lists as words } from '../i18n/lists';
import { kindWord } from '../i18n/words';
import { Icon } from '../ui/icons';
import { Page } from '../ui/parts';
import { Empty, Table, type Column } from '../ui/table';
import { Time } from '../ui/time';
import { listPath, upload } from './lists/upload';

export default function ListsPage() {
  const lists = useResource<PageOf<List>>(urlOf('/v1/lists', { cursor: at('cursor'), limit: 50 }));
  const add = may('batches:write') && <button type="button" class="primary" onClick={upload}><Icon name="plus" size={14} />{words.upload()}</button>;
  return (
    <Page title={words.title()} actions={add}>
      <Table label={words.title()} columns={columns()} of={lists} id={(l) => l.id} empty={<Empty title={words.empty()}><p>{words.emptyHelp()}</p>{add}</Empty>} />
    </Page>
  );
}

const columns = (): Column<List>[] => [
  { key: 'name', head: words.name(), cell: (l) => <a href={listPath(l.id)}><b>{l.name || l.id}</b></a> },
  { key: 'kind', head: words.kind(), cell: (l) => kindWord(l.kind) },
  { key: 'entries', head: words.entries(), number: true, cell: (l) => number(l.entries) },
  { key: 'duplicates', head: words.duplicates(), number: true, minor: true, cell: (l) => number(l.duplicates) },
  { key: 'blank', head: words.blank(), number: true, minor: true, cell: (l) => number(l.blank) },
  { key: 'uploaded', head: words.uploaded(), cell: (l) => <Time at={l.uploadedAt} /> },
  { key: 'by', head: words.by(), minor: true, cell: (l) => l.uploadedBy },
];
