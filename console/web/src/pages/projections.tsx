// The views that pages are read from: how far they are, and their rebuilds.
import type { PageOf, Projection } from '../api/types';
import { decimal, duration, number } from '../base/format';
import { useEvery } from '../base/every';
import { useResource } from '../base/resource';
import { may } from '../base/session';
import { projections as words, viewWord } from '../i18n/projections';
import { common } from '../i18n/common';
import { Icon } from '../ui/icons';
import { Page } from '../ui/parts';
import { Status } from '../ui/status';
import { Empty, Table, type Column } from '../ui/table';
import { Time } from '../ui/time';
import { rebuild, resume, rollback } from './projections/actions';
import { Rebuilds } from './projections/rebuilds';

const readEvery = 5000;

export default function ProjectionsPage() {
  const views = useResource<PageOf<Projection>>('/v1/projections', { after: false });
  useEvery(readEvery, views.reload);
  const writes = may('projections:write');
  const all = views.data?.items ?? [];
  return (
    <Page title={words.title()} actions={writes && all.length > 0 && <button type="button" class="primary" onClick={() => rebuild(all.map((v) => v.view))}>{words.rebuild()}</button>}>
      <p class="below faint">{words.intro()}</p>
      {all.map((v) => v.stopped && <Stopped key={v.view} of={v} />)}
      <Table label={words.title()} columns={columns(writes)} of={views} id={(v) => v.view} empty={<Empty title={common.nothing()} />} />
      {writes && <Rebuilds />}
    </Page>
  );
}

function Stopped({ of: v }: { of: Projection }) {
  const s = v.stopped!;
  return (
    <div class="notice bad" role="alert">
      <Icon name="warning" />
      <span>
        <b>{words.stopped({ what: viewWord(v.view) })}</b> <span class="faint">{words.since()} <Time at={s.since} />{s.event && <> {words.event()} <code>{s.event}</code></>}</span>
        <br /><code>{s.error}</code>
        <br />{words.stoppedHelp()}
      </span>
      {may('projections:write') && <button type="button" onClick={() => resume(v)}>{words.resume()}</button>}
    </div>
  );
}

const Lag = ({ of: v }: { of: Projection }) => (v.lagEvents === 0
  ? <span class="faint">{words.upToDate()}</span>
  : <span>{words.events({ n: v.lagEvents })} · {v.lagSeconds < 1 ? `${decimal(v.lagSeconds)} s` : duration(v.lagSeconds)}</span>);

const columns = (writes: boolean): Column<Projection>[] => [
  { key: 'view', head: words.view(), cell: (v) => <span><b>{viewWord(v.view)}</b> <code class="faint">{v.view}</code></span> },
  { key: 'state', head: words.state(), cell: (v) => <Status of={v.state === 'running' ? 'ok' : v.state} /> },
  { key: 'lag', head: words.lag(), cell: (v) => <Lag of={v} /> },
  { key: 'version', head: words.version(), number: true, cell: (v) => number(v.version) },
  { key: 'kept', head: words.kept(), number: true, minor: true, cell: (v) => (v.keptVersion ? number(v.keptVersion) : <span class="faint">–</span>) },
  { key: 'position', head: words.position(), minor: true, cell: (v) => <code class="clip faint" title={v.position}>{v.position}</code> },
  ...(writes ? [{ key: 'act', head: common.actions(), cell: (v: Projection) => (
    <div class="buttons">
      {v.keptVersion && <button type="button" onClick={() => rollback(v)}>{words.rollback()}</button>}
      <button type="button" onClick={() => rebuild([v.view], v.view)}>{words.rebuild()}</button>
    </div>
  ) }] : []),
];
