// Every step that was taken, by whom and why.
import type { AuditEntry, PageOf } from '../api/types';
import { clock, day } from '../base/format';
import { at, here, segment, urlOf } from '../base/place';
import { useResource } from '../base/resource';
import { may } from '../base/session';
import { actions, actionWord, audit as words } from '../i18n/audit';
import { common } from '../i18n/common';
import { statusWord } from '../i18n/words';
import { batchPath, documentPath } from '../ui/batch';
import { Dialog, show } from '../ui/dialog';
import { Icon } from '../ui/icons';
import { Facts, Page } from '../ui/parts';
import { Choice, Empty, Filters, Table, Words, type Column } from '../ui/table';
import { Time } from '../ui/time';

const filters = ['batch', 'document', 'operator', 'type', 'from', 'to'];

// instant of what an input of day and time holds, in the reader's zone.
function instant(text: string): string {
  const t = new Date(text);
  return Number.isNaN(t.getTime()) ? '' : t.toISOString();
}

// ago as such an input holds it.
function ago(hours: number): string {
  const t = new Date(Date.now() - hours * 3_600_000);
  return `${day(t)}T${clock(t).slice(0, 5)}`;
}

export default function AuditPage() {
  const query = {
    batch: at('batch'), document: at('document'), operator: at('operator'), type: at('type') && `waybill.${at('type')}`, from: instant(at('from')), to: instant(at('to')),
  };
  const entries = useResource<PageOf<AuditEntry>>(urlOf('/v1/audit', { ...query, cursor: at('cursor'), limit: 100 }));
  return (
    <Page title={words.title()} actions={may('audit:export') && <Export query={query} />}>
      <Filters names={filters}>
        <Words name="operator" label={words.operator()} />
        <Words name="batch" label={words.batch()} />
        <Words name="document" label={words.document()} placeholder={words.documentHelp()} />
        <Choice name="type" label={words.action()} options={actions.map((a) => [a, `${a.split('.')[0]}: ${actionWord(a)}`] as const)} />
        <Words name="from" label={words.from()} type="datetime-local" />
        <Words name="to" label={words.to()} type="datetime-local" />
        <a class="button plain" href={here({ from: ago(1), to: '', page: '' })}>{words.hour()}</a>
        <a class="button plain" href={here({ from: ago(24), to: '', page: '' })}>{words.day()}</a>
      </Filters>
      <Table label={words.title()} columns={columns()} of={entries} id={(e) => `${e.partition}:${e.offset}`} filtered={filters.some((f) => at(f))}
        empty={<Empty title={words.none()}><p>{words.noneHelp()}</p></Empty>} />
    </Page>
  );
}

function Export({ query }: { query: Record<string, string> }) {
  return (
    <div class="buttons" role="group" aria-label={words.export()} title={words.exportHelp()}>
      {['csv', 'xlsx', 'ndjson'].map((format) => (
        <a key={format} class="button" href={urlOf('/v1/audit/export', { ...query, format })} download aria-label={words.exportAs({ what: format.toUpperCase() })}><Icon name="download" size={14} />{format.toUpperCase()}</a>
      ))}
    </div>
  );
}

// What an entry is about: its document, its batch, or the stream's own page.
function About({ of: e }: { of: AuditEntry }) {
  if (e.batch && e.document) return <a class="nowrap" href={documentPath(e.batch, e.document)}>{nameOf(e.document)}</a>;
  if (e.batch) return <a class="nowrap" href={batchPath(e.batch)}>{e.batch}</a>;
  const page = /^(source|profile|webhook|list|approval)-(.+)$/.exec(e.stream);
  return page ? <a href={`/${page[1]}s/${segment(page[2])}`}>{page[2]}</a> : <code>{e.stream}</code>;
}

function nameOf(id: string): string {
  try {
    return decodeURIComponent(id);
  } catch {
    return id;
  }
}

const Change = ({ of: e }: { of: AuditEntry }) => <>{e.statusBefore && e.statusBefore !== e.statusAfter && <>{statusWord(e.statusBefore)} → </>}{statusWord(e.statusAfter)}</>;

// Who acted: the person where there is one, and what acted in their name.
function Who({ of: e }: { of: AuditEntry }) {
  const note = e.initiator ? words.via({ what: e.operator }) : e.actorKind === 'system' ? words.system() : '';
  return <span class="stacked">{e.initiator ?? e.operator}{note && <small class="faint">{note}</small>}{e.approver && <small class="faint">{words.approver({ what: e.approver })}</small>}</span>;
}

function detail(e: AuditEntry) {
  show(
    <Dialog title={words.entry()} wide>
      <Facts of={[
        [words.time(), <><Time at={e.time} /> <code class="faint">{e.time}</code></>], [words.action(), actionWord(e.action)], [words.operator(), <Who of={e} />], [words.about(), <About of={e} />], [words.status(), <Change of={e} />],
        e.reason !== undefined && [words.reason(), e.reason], e.batch !== undefined && [words.batch(), <a href={batchPath(e.batch)}>{e.batch}</a>], e.fileId !== undefined && [words.file(), <code>{e.fileId}</code>],
        [words.type(), <code>{e.type}</code>], [words.stream(), <code>{e.stream}</code>], [words.position(), <code>{e.partition}:{e.offset}</code>],
        e.requestId !== undefined && [words.request(), <code>{e.requestId}</code>], e.clientAddress !== undefined && [words.address(), <code>{e.clientAddress}</code>],
      ]} />
    </Dialog>,
  );
}

const columns = (): Column<AuditEntry>[] => [
  { key: 'time', head: words.time(), cell: (e) => <Time at={e.time} /> },
  { key: 'operator', head: words.operator(), cell: (e) => <Who of={e} /> },
  { key: 'action', head: words.action(), cell: (e) => <b>{actionWord(e.action)}</b> },
  { key: 'about', head: words.about(), cell: (e) => <About of={e} /> },
  { key: 'status', head: words.status(), cell: (e) => <Change of={e} /> },
  { key: 'reason', head: words.reason(), minor: true, cell: (e) => (e.reason ? <span class="clip" title={e.reason}>{e.reason}</span> : <span class="faint">–</span>) },
  { key: 'act', head: common.actions(), cell: (e) => <div class="buttons"><button type="button" class="plain" onClick={() => detail(e)}>{words.details()}</button></div> },
];
