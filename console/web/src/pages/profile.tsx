// One target profile, and what it was before.
import type { PageOf, Profile, RuleTable, Source } from '../api/types';
import { mebibytes, number } from '../base/format';
import { at, segment, urlOf } from '../base/place';
import { useResource } from '../base/resource';
import { may } from '../base/session';
import { profiles as words, targetWord } from '../i18n/profiles';
import { common } from '../i18n/common';
import { Facts, Page, Panel, Skeleton } from '../ui/parts';
import { ProblemBox } from '../ui/problem';
import { Severity } from '../ui/severity';
import { Empty, Table, type Column } from '../ui/table';
import { Time } from '../ui/time';
import { profilePath } from './profiles';

export default function ProfilePage({ name }: { name: string }) {
  const profile = useResource<Profile>(`/v1/profiles/${segment(name)}`);
  const p = profile.data;
  const crumbs: [string, string][] = [['/profiles', words.title()]];
  if (!p) return <Page title={name} crumbs={crumbs}>{profile.problem ? <ProblemBox problem={profile.problem} again={profile.reload} /> : <Skeleton lines={8} />}</Page>;
  const edit = may('profiles:write') && <a class="button primary" href={profilePath(p.name, 'edit')}>{common.edit()}</a>;
  return (
    <Page title={p.name} crumbs={crumbs} status={p.builtIn && <span class="tag">{words.builtIn()}</span>} actions={edit}>
      {profile.problem && <ProblemBox problem={profile.problem} again={profile.reload} />}
      {p.description && <p class="below">{p.description}</p>}
      <Panel title={words.criteria()}>
        <Facts of={[
          [words.types(), p.types?.join(', ')], [words.tolerated(), p.toleratedTypes?.join(', ') || common.none()], [words.warnBytes(), mebibytes(p.warnBytes!)], [words.maxBytes(), mebibytes(p.maxBytes!)],
          [words.minDpi(), words.dpi({ n: p.minDpi! })], [words.target(), targetWord(p.target)], [words.usedBy(), <UsedBy profile={p.name} />],
          [words.version(), <>{p.version}{p.changedAt ? <> · <Time at={p.changedAt} /> · {p.changedBy}</> : ` · ${words.asItCame()}`}</>],
        ]} />
      </Panel>
      <Severities of={p} />
      <div class="split even">
        <Mapping title={words.documentTypes()} of={p.documentTypes} />
        <Mapping title={words.organizations()} of={p.organizations} />
      </div>
      {p.flagshipTarget && <Flagship of={p.flagshipTarget} />}
      <Versions name={p.name} />
    </Page>
  );
}

function UsedBy({ profile }: { profile: string }) {
  const sources = useResource<PageOf<Source>>(may('sources:read') ? '/v1/sources' : null);
  const users = (sources.data?.items ?? []).filter((s) => s.profile === profile);
  return <>{users.length === 0 ? words.nobody() : users.map((s) => <><a key={s.id} href={`/sources/${segment(s.id)}`}>{s.name}</a> </>)}</>;
}

function Severities({ of: p }: { of: Profile }) {
  const rules = useResource<RuleTable>(urlOf('/v1/rules', { profile: p.name }));
  const ruleOf = (code: string) => rules.data?.items.find((r) => r.findings.some((f) => f.code === code))?.id;
  return (
    <Panel title={words.severities()}>
      {(p.severities?.length ?? 0) === 0 ? <p class="faint">{words.noSeverities()}</p> : (
        <ul class="severities">
          {p.severities!.map((s) => {
            const rule = ruleOf(s.code);
            return <li key={s.code}><Severity of={s.severity} /><code>{s.code}</code>{rule && <a href={urlOf('/profiles', { rule })}>{rule}</a>}</li>;
          })}
        </ul>
      )}
    </Panel>
  );
}

function Mapping({ title, of }: { title: string; of?: Profile['documentTypes'] }) {
  return (
    <Panel title={title}>
      {(of?.length ?? 0) === 0 ? <p class="faint">{words.asTheyAre()}</p> : (
        <table class="data" aria-label={title}>
          <thead><tr><th scope="col">{words.source()}</th><th scope="col">{words.atTarget()}</th></tr></thead>
          <tbody>{of!.map((m) => <tr key={m.source}><td data-label={words.source()}><code>{m.source}</code></td><td data-label={words.atTarget()}><code>{m.target}</code></td></tr>)}</tbody>
        </table>
      )}
    </Panel>
  );
}

function Flagship({ of: t }: { of: NonNullable<Profile['flagshipTarget']> }) {
  return (
    <Panel title={words.flagship()}>
      <Facts of={[
        [words.url(), <code>{t.url}</code>], [words.appId(), <code>{t.appId}</code>], [words.secretRef(), <code>{t.secretRef}</code>], [words.tenantId(), t.tenantId], [words.accountId(), t.accountId],
        [words.user(), <>{t.user} <span class="faint">{t.userType}</span></>], [words.language(), t.language], [words.resource(), t.resource || words.ofEach()], [words.concurrency(), number(t.concurrency!)], [words.maxFileBytes(), mebibytes(t.maxFileBytes!)],
        [words.allowedNetworks(), t.allowedNetworks?.join(', ') || common.none()], [words.authorities(), t.certificateAuthorities ? common.yes() : common.none()],
      ]} />
    </Panel>
  );
}

function Versions({ name }: { name: string }) {
  const versions = useResource<PageOf<Profile>>(urlOf(`/v1/profiles/${segment(name)}/versions`, { cursor: at('cursor'), limit: 50 }));
  return (
    <Panel title={words.versions()}>
      <Table label={words.versions()} columns={columns()} of={versions} id={(p) => String(p.version)} empty={<Empty title={common.nothing()} />} />
    </Panel>
  );
}

const columns = (): Column<Profile>[] => [
  { key: 'version', head: words.version(), cell: (p) => p.version },
  { key: 'changed', head: words.changed(), cell: (p) => (p.changedAt ? <Time at={p.changedAt} /> : <span class="faint">{words.asItCame()}</span>) },
  { key: 'by', head: words.by(), cell: (p) => p.changedBy ?? '–' },
  { key: 'why', head: words.why(), cell: (p) => p.reason ?? '–' },
  { key: 'dpi', head: words.minDpi(), number: true, cell: (p) => words.dpi({ n: p.minDpi! }) },
  { key: 'max', head: words.maxBytes(), number: true, cell: (p) => mebibytes(p.maxBytes!) },
  { key: 'severities', head: words.severity(), minor: true, cell: (p) => p.severities?.map((s) => `${s.code}: ${s.severity}`).join(', ') || '–' },
  { key: 'target', head: words.target(), minor: true, cell: (p) => targetWord(p.target) },
];
