import type { PageOf, Webhook } from '../api/types';
import { useResource } from '../base/resource';
import { may } from '../base/session';
import { webhooks as words } from '../i18n/webhooks';
import { Icon } from '../ui/icons';
import { Page } from '../ui/parts';
import { Status } from '../ui/status';
import { Empty, Table, type Column } from '../ui/table';
import { Time } from '../ui/time';
import { webhookPath } from './webhook/actions';

export default function WebhooksPage() {
  const webhooks = useResource<PageOf<Webhook>>('/v1/webhooks');
  const create = may('webhooks:write') && <a class="button primary" href="/webhooks/new"><Icon name="plus" size={14} />{words.create()}</a>;
  return (
    <Page title={words.title()} actions={create}>
      <Table label={words.title()} columns={columns()} of={webhooks} id={(w) => w.id} empty={<Empty title={words.empty()}><p>{words.emptyHelp()}</p>{create}</Empty>} />
    </Page>
  );
}

const columns = (): Column<Webhook>[] => [
  { key: 'id', head: words.id(), sort: (w) => w.id, cell: (w) => <a href={webhookPath(w.id)}><b>{w.id}</b></a> },
  { key: 'status', head: words.status(), sort: (w) => w.status, cell: (w) => <Status of={w.status} /> },
  { key: 'url', head: words.url(), cell: (w) => <code class="clip" title={w.url}>{w.url}</code> },
  { key: 'types', head: words.types(), cell: (w) => (w.types ? <code class="clip" title={w.types.join('\n')}>{w.types.join(', ')}</code> : <span class="faint">{words.all()}</span>) },
  { key: 'description', head: words.description(), minor: true, cell: (w) => w.description ?? <span class="faint">–</span> },
  { key: 'changed', head: words.changed(), minor: true, cell: (w) => <Time at={w.changedAt} /> },
];
