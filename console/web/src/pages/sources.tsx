import type { PageOf, Source } from '../api/types';
import { at } from '../base/place';
import { useResource } from '../base/resource';
import { may } from '../base/session';
import { sources as words } from '../i18n/sources';
import { common } from '../i18n/common';
import { Icon } from '../ui/icons';
import { Page } from '../ui/parts';
import { Status } from '../ui/status';
import { Empty, Table, type Column } from '../ui/table';
import { EnableButton, sourcePath } from './source/actions';
import { Pace } from './source/facts';

export default function SourcesPage() {
  const sources = useResource<PageOf<Source>>('/v1/sources');
  const create = may('sources:write') && <a class="button primary" href="/sources/new"><Icon name="plus" size={14} />{words.create()}</a>;
  return (
    <Page title={words.title()} actions={create}>
      <Table label={words.title()} columns={columns()} of={sources} id={(s) => s.id} filtered={at('cursor') !== ''}
        empty={<Empty title={words.empty()}><p>{words.emptyHelp()}</p>{create}</Empty>} />
    </Page>
  );
}

const address = (url: string | undefined) => (url ? <code class="clip" title={url}>{url}</code> : <span class="faint">{words.noUrl()}</span>);

const columns = (): Column<Source>[] => [
  { key: 'name', head: words.name(), sort: (s) => s.name, cell: (s) => <span><a href={sourcePath(s.id)}><b>{s.name}</b></a>{s.name !== s.id && <><br /><code class="faint">{s.id}</code></>}</span> },
  { key: 'status', head: words.status(), sort: (s) => s.status, cell: (s) => <Status of={s.status} /> },
  { key: 'tokenUrl', head: words.tokenUrl(), cell: (s) => address(s.tokenUrl) },
  { key: 'dataUrl', head: words.dataUrl(), cell: (s) => address(s.dataUrl) },
  { key: 'profile', head: words.profile(), minor: true, cell: (s) => <a href={`/profiles/${s.profile}`}>{s.profile}</a> },
  { key: 'pace', head: words.pace(), minor: true, cell: (s) => <Pace of={s} /> },
  { key: 'act', head: common.actions(), cell: (s) => may('sources:write') && <div class="buttons"><EnableButton of={s} /><a class="button" href={sourcePath(s.id, 'edit')}>{common.edit()}</a></div> },
];
