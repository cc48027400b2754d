// Files that are skipped for now: those due for review, or all.
import { useState } from 'preact/hooks';
import type { PageOf, SkippedFile } from '../api/types';
import { at, go, here, urlOf } from '../base/place';
import { useResource } from '../base/resource';
import { may } from '../base/session';
import { skips as words } from '../i18n/bulk';
import { classWord } from '../i18n/words';
import { batchPath, documentPath } from '../ui/batch';
import { bulk } from '../ui/bulk';
import { Segments } from '../ui/fields';
import { Icon } from '../ui/icons';
import { Page } from '../ui/parts';
import { Empty, Filters, Table, Words, type Column } from '../ui/table';
import { Time } from '../ui/time';
import { recall } from './document/actions';

const filters = ['owner', 'batch', 'before'];

const idOf = (f: SkippedFile) => `${f.batch}|${f.document}|${f.file}`;

export default function SkipsPage() {
  const due = at('due') === 'true';
  const query = Object.fromEntries(filters.map((f) => [f, at(f)]));
  const page = useResource<PageOf<SkippedFile>>(urlOf('/v1/skips', { ...query, due, cursor: at('cursor'), limit: 100 }));
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const rows = page.data?.items ?? [];
  const picked = rows.filter((f) => chosen.has(idOf(f)));
  const choose = (of: SkippedFile[], on: boolean) => {
    const next = new Set(chosen);
    for (const f of of) if (on) next.add(idOf(f)); else next.delete(idOf(f));
    setChosen(next);
  };
  return (
    <Page title={words.title()} actions={picked.length > 0 && <button type="button" class="primary" onClick={() => recallAll(picked)}>{words.recallChosen({ n: picked.length })}</button>}>
      <Filters names={filters}>
        <Segments label={words.which()} name="due" value={due ? 'true' : ''} options={[['true', words.due()], ['', words.all()]]} onValue={(v) => go(here({ due: v }))} />
        <Words name="owner" label={words.owner()} />
        <Words name="batch" label={words.batch()} />
        <Words name="before" label={words.before()} type="date" />
        {may('documents:write') && rows.length > 1 && <label class="check"><input type="checkbox" checked={picked.length === rows.length} onChange={(e) => choose(rows, e.currentTarget.checked)} /> {words.chooseAll()}</label>}
      </Filters>
      <Table label={words.title()} columns={columns(chosen, choose)} of={page} id={idOf} filtered={filters.some((f) => at(f))}
        empty={due ? <Empty title={words.noneDue()}><p>{words.noneDueHelp()}</p></Empty> : <Empty title={words.none()}><p>{words.noneHelp()}</p></Empty>} />
    </Page>
  );
}

// recallAll asks for one operation a batch: it takes back all skipped files of
// the documents that are chosen.
function recallAll(files: SkippedFile[]) {
  const batches = [...new Set(files.map((f) => f.batch))];
  bulk('recall', batches.map((batch) => ({ batch, documents: [...new Set(files.filter((f) => f.batch === batch).map((f) => f.document))] })));
}

const columns = (chosen: ReadonlySet<string>, choose: (of: SkippedFile[], on: boolean) => void): Column<SkippedFile>[] => [
  ...(may('documents:write') ? [{ key: 'choose', head: '', cell: (f: SkippedFile) => <input type="checkbox" aria-label={words.choose({ what: f.name })} checked={chosen.has(idOf(f))} onChange={(e) => choose([f], e.currentTarget.checked)} /> }] : []),
  { key: 'file', head: words.file(), cell: (f) => <span><b>{f.name}</b> <span class="faint">{classWord(f.class)}</span></span> },
  { key: 'document', head: words.document(), cell: (f) => <a href={documentPath(f.batch, f.document)}>{f.imageNumber || f.document}</a> },
  { key: 'reason', head: words.reason(), cell: (f) => f.reason },
  { key: 'review', head: words.review(), cell: (f) => <span class="nowrap">{f.reviewDate ?? '–'} {f.due && <span class="status warn"><Icon name="clock" size={12} />{words.dueNow()}</span>}</span> },
  { key: 'owner', head: words.owner(), cell: (f) => f.owner ?? '–' },
  { key: 'batch', head: words.batch(), minor: true, cell: (f) => <a href={batchPath(f.batch)}>{f.batch}</a> },
  { key: 'at', head: words.at(), minor: true, cell: (f) => <Time at={f.skippedAt} /> },
  { key: 'act', head: '', cell: (f) => may('documents:write') && <button type="button" onClick={() => recall(f.batch, { id: f.document }, { id: f.file, name: f.name })}>{words.recall()}</button> },
];
