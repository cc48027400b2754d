// The coverage map: which months of each organisation or document type were
// migrated, and what is missing.
import { useState } from 'preact/hooks';
import type { Coverage, CoverageCell, PageOf, Source } from '../api/types';
import { number } from '../base/format';
import { at, go, here, urlOf } from '../base/place';
import { useResource } from '../base/resource';
import { may } from '../base/session';
import { coverage as words } from '../i18n/bulk';
import { statusWord } from '../i18n/words';
import { batchPath } from '../ui/batch';
import { Segments } from '../ui/fields';
import { Icon, type IconName } from '../ui/icons';
import { Facts, Page, Panel, Skeleton } from '../ui/parts';
import { ProblemBox } from '../ui/problem';
import { Status } from '../ui/status';
import { Choice, Empty, Words } from '../ui/table';

const states: [CoverageCell['state'], IconName][] = [['never', 'minus'], ['running', 'play'], ['complete', 'check'], ['exceptions', 'check'], ['failed', 'cross'], ['changed', 'retry']];
const iconOf = Object.fromEntries(states) as Record<CoverageCell['state'], IconName>;

const monthAfter = (month: string) => new Date(Date.UTC(Number(month.slice(0, 4)), Number(month.slice(5, 7)), 1)).toISOString().slice(0, 7);

function monthsFrom(from: string, to: string): string[] {
  const all: string[] = [];
  for (let m = from; m !== '' && m <= to; m = monthAfter(m)) all.push(m);
  return all;
}

export default function CoveragePage() {
  const sources = useResource<PageOf<Source>>('/v1/sources');
  const by = at('by') === 'documentType' ? 'documentType' : 'organization';
  const cells = useResource<Coverage>(urlOf('/v1/coverage', { source: at('source'), by, from: at('from'), to: at('to') }), { live: { kind: 'batch' } });
  const { from = '', to = '' } = cells.data ?? {};
  const source = at('source') || (sources.data?.items.length === 1 ? sources.data.items[0].id : '');
  return (
    <Page title={words.title()}>
      <div role="search" class="filters">
        <Choice name="source" label={words.source()} options={(sources.data?.items ?? []).map((s) => [s.id, s.name] as const)} />
        <Segments key={by} label={words.by()} name="by" value={by} options={[['organization', words.organization()], ['documentType', words.documentType()]]} onValue={(v) => go(here({ by: v === 'organization' ? '' : v }))} />
        <Words name="from" label={words.from()} type="month" placeholder={from} />
        <Words name="to" label={words.to()} type="month" placeholder={to} />
        <span class="grow" />
        <ul class="legend" aria-label={words.legend()}>{states.map(([s, icon]) => <li key={s}><i class={`cell ${s}`}><Icon name={icon} size={10} /></i>{statusWord(s)}</li>)}</ul>
      </div>
      {cells.problem ? <ProblemBox problem={cells.problem} again={cells.reload} />
        : !cells.data ? <Skeleton lines={10} />
          : cells.data.items.length === 0
            ? <Empty title={words.none()}><p>{words.noneHelp()}</p>{may('batches:write') && <a class="button primary" href={urlOf('/batches/new', { source })}>{words.create()}</a>}</Empty>
            : <Map cells={cells.data.items} months={monthsFrom(from, to)} source={source} by={by} />}
    </Page>
  );
}

function Map({ cells, months, source, by }: { cells: CoverageCell[]; months: string[]; source: string; by: string }) {
  const [chosen, setChosen] = useState<{ key: string; month: string }>();
  const rows = [...new Set(cells.map((c) => c.key))].sort();
  const names = new globalThis.Map(cells.map((c) => [c.key, c.name]));
  const known = new globalThis.Map(cells.map((c) => [`${c.key} ${c.month}`, c]));
  const cellOf = (key: string, month: string): CoverageCell => known.get(`${key} ${month}`) ?? { key, name: names.get(key) ?? key, month, state: 'never', documents: 0, migrated: 0, failed: 0, pending: 0, excepted: 0, cancelled: 0, skipped: 0, found: 0, batches: [] };
  const years = [...new Set(months.map((m) => m.slice(0, 4)))];
  return (
    <>
      {chosen ? <Chosen of={cellOf(chosen.key, chosen.month)} source={source} by={by} /> : <p class="faint quiet">{words.pick()}</p>}
      <div class="map" tabIndex={0} role="region" aria-label={words.title()}>
        <table>
          <thead>
            <tr><td />{years.map((y) => <th key={y} scope="colgroup" colSpan={months.filter((m) => m.startsWith(y)).length}>{y}</th>)}</tr>
            <tr><th scope="col">{by === 'organization' ? words.organization() : words.documentType()}</th>{months.map((m) => <th key={m} scope="col">{m.slice(5)}</th>)}</tr>
          </thead>
          <tbody>
            {rows.map((key) => (
              <tr key={key}>
                <th scope="row">{key || words.noKey()}{key && names.get(key) && names.get(key) !== key && <span class="faint"> {names.get(key)}</span>}</th>
                {months.map((month) => {
                  const c = cellOf(key, month);
                  const text = words.cell({ name: key || words.noKey(), month, state: statusWord(c.state) });
                  const failed = c.state === 'failed' && c.failed > 0 ? number(c.failed) : '';
                  return (
                    <td key={month}>
                      <button type="button" class={`cell ${c.state}`} aria-label={`${text} ${failed}`.trim()} title={`${text} · ${number(c.migrated)} / ${number(c.documents)}`} aria-pressed={chosen?.key === key && chosen.month === month} onClick={() => setChosen({ key, month })}>
                        <Icon name={iconOf[c.state]} size={12} />{failed}
                      </button>
                    </td>
                  );
                })}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
}

const lastDay = (month: string) => new Date(Date.UTC(Number(month.slice(0, 4)), Number(month.slice(5, 7)), 0)).toISOString().slice(0, 10);

function Chosen({ of: c, source, by }: { of: CoverageCell; source: string; by: string }) {
  const scope = by === 'organization' ? { organizations: c.key } : { documentTypes: c.key };
  const filter = by === 'organization' ? { organization: c.key } : { documentType: c.key };
  const again = urlOf('/batches/new', { source, from: `${c.month}-01`, to: lastDay(c.month), ...scope });
  return (
    <Panel title={`${c.name || c.key || words.noKey()} · ${c.month}`} aside={<Status of={c.state} />}>
      {c.state === 'never' && <p class="quiet">{words.never()}</p>}
      {c.state === 'changed' && <p class="quiet">{words.changedHelp()}</p>}
      {c.state !== 'never' && (
        <Facts of={[
          [words.documents(), number(c.documents)], [words.migrated(), number(c.migrated)], [words.failed(), <span class={c.failed > 0 ? 'bad' : ''}>{number(c.failed)}</span>],
          c.pending > 0 && [words.pending(), number(c.pending)], c.excepted > 0 && [words.excepted(), number(c.excepted)], c.cancelled > 0 && [words.cancelled(), number(c.cancelled)],
          c.skipped > 0 && [words.skipped(), <a href={urlOf('/skips', { source })}>{number(c.skipped)}</a>], c.found > 0 && [words.found(), number(c.found)],
          [words.batches(), <>{c.batches.map((b) => <a key={b} href={batchPath(b)}>{b} </a>)}</>],
        ]} />
      )}
      <p class="line">
        {c.failed > 0 && c.batches.slice(0, 3).map((b) => <a key={b} class="button" href={urlOf(batchPath(b, 'documents'), { status: 'failed', ...filter })}>{words.showFailed({ what: b })}</a>)}
        {may('batches:write') && (c.state === 'never' || c.state === 'changed') && <a class="button primary" href={again}>{words.create()}</a>}
      </p>
    </Panel>
  );
}
