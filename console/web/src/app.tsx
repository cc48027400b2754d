// The frame around every page: the way to the others, who one is, and how one
// likes to see it.
import type { ComponentType } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { matched, place } from './base/place';
import { identity, restricted, signOut } from './base/session';
import { liveness } from './base/live';
import { common, shell } from './i18n/common';
import { roleWord } from './i18n/words';
import { isOpen, routes, type PageProps, type Route } from './routes';
import { DialogHost } from './ui/dialog';
import { Icon, type IconName } from './ui/icons';
import { Preferences } from './ui/preferences';
import { Page, Skeleton } from './ui/parts';
import { Empty } from './ui/table';
import { ProblemBox } from './ui/problem';
import { Toasts } from './ui/toast';
import { Login } from './pages/login';
import { menu } from './menu';

export function App() {
  const who = identity.value;
  if (who === undefined) return <main class="alone"><Skeleton lines={3} /></main>;
  if (who === null) return <Login />;
  return <Frame />;
}

function Frame() {
  const [open, setOpen] = useState(false);
  const { path } = place.value;
  useEffect(() => setOpen(false), [path]);
  return (
    <>
      <a class="skip" href="#content" onClick={(e) => { e.preventDefault(); document.getElementById('content')?.focus(); }}>{shell.skipToContent()}</a>
      <header class="top">
        <button type="button" class="plain burger" aria-expanded={open} aria-controls="menu" aria-label={shell.menu()} onClick={() => setOpen(!open)}><Icon name={open ? 'close' : 'menu'} /></button>
        <a href="/" class="brand"><img src="/icon.svg" alt="" width="22" height="22" />Waybill</a>
        <Live />
        <span class="grow" />
        <Preferences />
        <Who />
      </header>
      <div class="body">
        <nav id="menu" class={open ? 'menu open' : 'menu'} aria-label={shell.menu()}>
          {menu.map((group) => {
            const entries = group.entries.filter((e) => routes.some((r) => r.pattern === e.to && isOpen(r)));
            return entries.length > 0 && (
              <div key={group.name()} class="group">
                <h2>{group.name()}</h2>
                <ul>{entries.map((e) => <li key={e.to}><Entry {...e} /></li>)}</ul>
              </div>
            );
          })}
          <div class="group"><ul><li><a href="/docs" target="_blank"><Icon name="external" />{shell.apiDocs()}</a></li></ul></div>
        </nav>
        <main id="content" tabIndex={-1}><Shown /></main>
      </div>
      <DialogHost />
      <Toasts />
    </>
  );
}

function Entry({ to, text, icon }: { to: string; text: () => string; icon: IconName }) {
  const { path } = place.value;
  const current = to === '/' ? path === '/' : path === to || path.startsWith(to + '/');
  return <a href={to} aria-current={current ? 'page' : undefined}><Icon name={icon} />{text()}</a>;
}

function Live() {
  const state = liveness.value;
  if (state === 'off') return null;
  const text = state === 'live' ? shell.live() : state === 'polling' ? shell.polling() : shell.connecting();
  return <span class={`live ${state}`} title={state === 'polling' ? shell.pollingHelp() : shell.liveHelp()}>{text}</span>;
}

function Who() {
  const who = identity.value!;
  const within = restricted() ? shell.restricted({ what: who.organizations!.join(', ') }) : '';
  return (
    <>
      <span class="who" title={[...who.roles.map(roleWord), within].filter(Boolean).join('\n')}>{who.subject}</span>
      <button type="button" class="plain" onClick={() => void signOut()}>{shell.signOut()}</button>
    </>
  );
}

function find(path: string): [Route, PageProps] | undefined {
  for (const route of routes) {
    const values = matched(route.pattern, path);
    if (values) return [route, values];
  }
  return undefined;
}

// Closed says why somebody may not see a page, and who can help.
function Closed({ to: route }: { to: Route }) {
  const why = route.whole && restricted() ? common.forbiddenWhole({ what: identity.value!.organizations!.join(', ') }) : common.forbiddenHelp();
  return <Page title={common.forbidden()}><Empty title={common.forbidden()}><p>{why}</p><a class="button" href="/">{common.toOverview()}</a></Empty></Page>;
}

const loaded = new Map<Route, ComponentType<PageProps>>();

function Shown() {
  const [, again] = useState(0);
  const [failed, setFailed] = useState<Error>();
  const found = find(place.value.path);
  const route = found?.[0];
  useEffect(() => {
    setFailed(undefined);
    if (!route || loaded.has(route)) return;
    route.load().then((module) => {
      loaded.set(route, module.default);
      again((n) => n + 1);
    }, setFailed);
  }, [route]);
  if (!found || !route) return <Page title={common.notFoundTitle()}><Empty title={common.notFoundTitle()}><p>{common.notFound()}</p><a class="button" href="/">{common.toOverview()}</a></Empty></Page>;
  if (!isOpen(route)) return <Closed to={route} />;
  // Another version was installed meanwhile: its pages have other names.
  if (failed) return <ProblemBox problem={failed} again={() => location.reload()} />;
  const Component = loaded.get(route);
  return Component ? <Component key={route.pattern + Object.values(found[1]).slice(0, 1).join()} {...found[1]} /> : <Skeleton lines={8} />;
}
