// Tables: sticky heads, skeletons while they load, cards on a phone, and their
// sort and page in the URL.
import type { ComponentChildren } from 'preact';
import type { Resource } from '../base/resource';
import { at, go, here, place } from '../base/place';
import { common } from '../i18n/common';
import { Icon } from './icons';
import { ProblemBox } from './problem';

export interface Column<T> {
  key: string;
  head: string;
  cell: (row: T) => ComponentChildren;
  number?: boolean;
  minor?: boolean; // left out where there is little room
  sort?: (row: T) => string | number; // only where all rows are on the page
}

interface TableProps<T> {
  label: string;
  columns: Column<T>[];
  of: Resource<{ items: T[]; next?: string }>;
  id: (row: T) => string;
  empty: ComponentChildren;
  filtered?: boolean; // a filter is set
  after?: (row: T) => ComponentChildren; // a line below a row
}

function sorted<T>(rows: T[], columns: Column<T>[]): T[] {
  const [key, down] = [at('sort').replace(/^-/, ''), at('sort').startsWith('-')];
  const by = columns.find((c) => c.key === key)?.sort;
  if (!by) return rows;
  const order = [...rows].sort((a, b) => {
    const [x, y] = [by(a), by(b)];
    return typeof x === 'number' && typeof y === 'number' ? x - y : String(x).localeCompare(String(y));
  });
  return down ? order.reverse() : order;
}

function Head<T>({ column: c }: { column: Column<T> }) {
  if (!c.sort) return <th scope="col" class={classOf(c)}>{c.head}</th>;
  const now = at('sort');
  const direction = now === c.key ? 'ascending' : now === '-' + c.key ? 'descending' : undefined;
  const next = now === '-' + c.key ? c.key : '-' + c.key;
  return (
    <th scope="col" class={classOf(c)} aria-sort={direction}>
      <a class="sort" href={here({ sort: next })} aria-label={common.sort({ what: c.head })}>{c.head}<i aria-hidden="true">{direction === 'ascending' ? '↑' : direction === 'descending' ? '↓' : '↕'}</i></a>
    </th>
  );
}

const classOf = <T,>(c: Column<T>) => [c.number && 'number', c.minor && 'minor', c.key === 'act' && 'act'].filter(Boolean).join(' ') || undefined;

export function Table<T>({ label, columns, of, id, empty, filtered, after }: TableProps<T>) {
  if (of.problem && !of.data) return <ProblemBox problem={of.problem} again={of.reload} />;
  const rows = of.data && sorted(of.data.items, columns);
  if (rows?.length === 0) {
    return filtered
      ? <Empty title={common.nothingFiltered()}><a class="button" href={place.value.path}>{common.clear()}</a></Empty>
      : <>{empty}</>;
  }
  return (
    <>
      {of.problem && <ProblemBox problem={of.problem} again={of.reload} />}
      <table class="data" aria-label={label} aria-busy={of.loading}>
        <thead><tr>{columns.map((c) => <Head key={c.key} column={c} />)}</tr></thead>
        <tbody>
          {rows
            ? rows.map((row) => [
              <tr key={id(row)}>{columns.map((c) => <td key={c.key} class={classOf(c)} data-label={c.head}>{c.cell(row)}</td>)}</tr>,
              after?.(row),
            ])
            : Array.from({ length: 6 }, (_, i) => <tr key={i} class="loading">{columns.map((c) => <td key={c.key} class={classOf(c)} data-label={c.head}><span class="skeleton" /></td>)}</tr>)}
        </tbody>
      </table>
      {of.data && <Pager next={of.data.next} />}
    </>
  );
}

// The cursor of the page before each, as far as it was passed on the way.
const trail = new Map<string, string>();

function Pager({ next }: { next?: string }) {
  const cursor = at('cursor');
  if (!next && cursor === '') return null;
  if (next) trail.set(next, cursor);
  const page = Number(at('page') || 1);
  const before = trail.get(cursor);
  return (
    <nav class="pager" aria-label={common.page({ n: page })}>
      {cursor !== '' && <a class="button" href={here({ cursor: '', page: '' })}>{common.first()}</a>}
      {cursor !== '' && before !== undefined && <a class="button" rel="prev" href={here({ cursor: before, page: page > 2 ? page - 1 : '' })}>{common.previous()}</a>}
      <span class="faint">{common.page({ n: page })}</span>
      {next && <a class="button" rel="next" href={here({ cursor: next, page: page + 1 })}>{common.next()}<Icon name="arrow" size={12} /></a>}
    </nav>
  );
}

export function Empty({ title, children }: { title: string; children?: ComponentChildren }) {
  return <div class="empty"><strong>{title}</strong>{children}</div>;
}

// Choice is a filter of a few values.
export function Choice({ name, label, options }: { name: string; label: string; options: (readonly [string, string])[] }) {
  const value = at(name);
  return (
    <label class="filter">
      <span>{label}</span>
      <select name={name} value={value} class={value ? 'set' : ''} onChange={(e) => go(here({ [name]: e.currentTarget.value, page: '' }))}>
        <option value="" selected={value === ''}>{common.all()}</option>
        {options.map(([v, text]) => <option key={v} value={v} selected={v === value}>{text}</option>)}
      </select>
    </label>
  );
}

// Words is a filter one types; it holds from Enter, or when one leaves it.
export function Words({ name, label, type = 'search', placeholder }: { name: string; label: string; type?: 'search' | 'date' | 'month' | 'datetime-local'; placeholder?: string }) {
  const value = at(name);
  return (
    <label class="filter">
      <span>{label}</span>
      <input key={value} name={name} type={type as 'search'} defaultValue={value} class={value ? 'set' : ''} placeholder={placeholder} spellcheck={false} autocomplete="off"
        onChange={(e) => go(here({ [name]: e.currentTarget.value.trim(), page: '' }))} />
    </label>
  );
}

export function Filters({ children, names }: { children: ComponentChildren; names: string[] }) {
  const set = names.some((n) => at(n) !== '');
  return (
    <div role="search" class="filters" aria-label={common.filters()}>
      {children}
      {set && <a class="button plain" href={here(Object.fromEntries([...names, 'page'].map((n) => [n, ''])))}>{common.clear()}</a>}
    </div>
  );
}
