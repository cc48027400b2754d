// Parts that pages are made of.
import type { ComponentChildren } from 'preact';
import { useEffect } from 'preact/hooks';
import { place } from '../base/place';
import { Icon } from './icons';

export function Page({ title, crumbs = [], actions, children, status }: {
  title: string; crumbs?: (readonly [string, string])[]; actions?: ComponentChildren; status?: ComponentChildren; children: ComponentChildren;
}) {
  useEffect(() => {
    document.title = `${title} · Waybill`;
  }, [title]);
  return (
    <>
      <header class="page">
        {crumbs.length > 0 && (
          <nav class="crumbs" aria-label="breadcrumb">{crumbs.map(([to, text]) => <span key={to}><a href={to}>{text}</a><Icon name="arrow" size={10} /></span>)}</nav>
        )}
        <div class="title">
          <h1>{title}</h1>
          {status}
          <div class="actions">{actions}</div>
        </div>
      </header>
      {children}
    </>
  );
}

export function Panel({ title, children, aside, plain }: { title?: string; children: ComponentChildren; aside?: ComponentChildren; plain?: boolean }) {
  return (
    <section class={plain ? 'panel plain' : 'panel'} aria-label={title}>
      {title && <header><h2>{title}</h2>{aside}</header>}
      {children}
    </section>
  );
}

// Facts are names with their values.
export function Facts({ of }: { of: (readonly [string, ComponentChildren] | false | undefined)[] }) {
  return (
    <dl class="facts">
      {of.map((f) => f && <div key={f[0]}><dt>{f[0]}</dt><dd>{f[1]}</dd></div>)}
    </dl>
  );
}

export function Figure({ name, value, tone, to, note }: { name: string; value: ComponentChildren; tone?: string; to?: string; note?: ComponentChildren }) {
  const inner = <><span class="name">{name}</span><b>{value}</b>{note && <small>{note}</small>}</>;
  return to ? <a class={`figure ${tone ?? ''}`} href={to}>{inner}</a> : <div class={`figure ${tone ?? ''}`}>{inner}</div>;
}

export function Tabs({ label, of }: { label: string; of: (readonly [to: string, text: string, count?: ComponentChildren, shown?: boolean] | false | undefined)[] }) {
  return (
    <nav class="tabs" aria-label={label}>
      {of.map((t) => t && <a key={t[0]} href={t[0]} aria-current={t[3] || place.value.path === t[0] ? 'page' : undefined}>{t[1]}{t[2] !== undefined && <span class="count">{t[2]}</span>}</a>)}
    </nav>
  );
}

export function Skeleton({ lines = 4 }: { lines?: number }) {
  return <div class="skeletons" aria-busy="true">{Array.from({ length: lines }, (_, i) => <span key={i} class="skeleton" />)}</div>;
}
