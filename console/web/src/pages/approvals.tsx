// What waits for a second operator, and what was decided.
import type { Approval, PageOf } from '../api/types';
import { number } from '../base/format';
import { useEvery } from '../base/every';
import { at, segment, urlOf } from '../base/place';
import { useResource } from '../base/resource';
import { approvals as words } from '../i18n/approvals';
import { kindWord, statusWord } from '../i18n/words';
import { batchPath } from '../ui/batch';
import { Page } from '../ui/parts';
import { Status } from '../ui/status';
import { Choice, Empty, Filters, Table, type Column } from '../ui/table';
import { Time } from '../ui/time';

const readEvery = 15_000;

export default function ApprovalsPage() {
  const page = useResource<PageOf<Approval>>(urlOf('/v1/approvals', { status: at('status'), cursor: at('cursor'), limit: 50 }));
  useEvery(readEvery, page.reload);
  return (
    <Page title={words.title()}>
      <Filters names={['status']}>
        <Choice name="status" label={words.status()} options={['pending', 'approved', 'rejected', 'withdrawn', 'expired'].map((s) => [s, s === 'pending' ? words.pending() : statusWord(s)] as const)} />
      </Filters>
      <Table label={words.title()} columns={columns()} of={page} id={(a) => a.id} filtered={at('status') !== ''} empty={<Empty title={words.none()}><p>{words.noneHelp()}</p></Empty>} />
    </Page>
  );
}

const columns = (): Column<Approval>[] => [
  { key: 'kind', head: words.kind(), cell: (a) => <a href={`/approvals/${segment(a.id)}`}><b>{kindWord(a.kind)}</b></a> },
  { key: 'batch', head: words.batch(), cell: (a) => <a href={batchPath(a.batch)}>{a.batch}</a> },
  { key: 'status', head: words.status(), cell: (a) => <Status of={a.status} word={a.status === 'pending' ? words.pending() : undefined} /> },
  { key: 'documents', head: words.documents(), number: true, cell: (a) => number(a.documents) },
  { key: 'reason', head: words.reason(), minor: true, cell: (a) => <span class="clip" title={a.reason}>{a.reason}</span> },
  { key: 'by', head: words.requestedBy(), cell: (a) => a.requestedBy },
  { key: 'requested', head: words.requested(), minor: true, cell: (a) => <Time at={a.requestedAt} /> },
  { key: 'expires', head: words.expires(), cell: (a) => (a.status === 'pending' ? <Time at={a.expiresAt} /> : <span class="faint">–</span>) },
];
