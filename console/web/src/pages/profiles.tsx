// Target profiles, and the table of the rules that they set.
import type { PageOf, Profile, RuleTable } from '../api/types';
import { mebibytes } from '../base/format';
import { segment } from '../base/place';
import { useResource } from '../base/resource';
import { may } from '../base/session';
import { profiles as words, targetWord } from '../i18n/profiles';
import { Icon } from '../ui/icons';
import { Page } from '../ui/parts';
import { Empty, Table, type Column } from '../ui/table';
import { Time } from '../ui/time';
import { Rules } from './profile/rules';

export const profilePath = (name: string, tab = '') => `/profiles/${segment(name)}${tab && '/' + tab}`;

export default function ProfilesPage() {
  const profiles = useResource<PageOf<Profile>>('/v1/profiles');
  const rules = useResource<RuleTable>('/v1/rules');
  const create = may('profiles:write') && <a class="button primary" href="/profiles/new"><Icon name="plus" size={14} />{words.create()}</a>;
  return (
    <Page title={words.title()} actions={create}>
      <h2 class="section">{words.profiles()}</h2>
      <Table label={words.profiles()} columns={columns()} of={profiles} id={(p) => p.name} empty={<Empty title={words.none()}>{create}</Empty>} />
      <h2 class="section">{words.rules()} {rules.data && <span class="faint small">{words.ruleSet({ what: rules.data.ruleSet })}</span>}</h2>
      <Rules of={rules} />
    </Page>
  );
}

const columns = (): Column<Profile>[] => [
  { key: 'name', head: words.name(), cell: (p) => <span class="nowrap"><a href={profilePath(p.name)}><b>{p.name}</b></a>{p.builtIn && <span class="tag">{words.builtIn()}</span>}</span> },
  { key: 'description', head: words.description(), minor: true, cell: (p) => p.description ?? <span class="faint">–</span> },
  { key: 'target', head: words.target(), cell: (p) => targetWord(p.target) },
  { key: 'dpi', head: words.minDpi(), number: true, cell: (p) => words.dpi({ n: p.minDpi! }) },
  { key: 'max', head: words.maxBytes(), number: true, cell: (p) => mebibytes(p.maxBytes!) },
  { key: 'version', head: words.version(), number: true, minor: true, cell: (p) => p.version },
  { key: 'changed', head: words.changed(), minor: true, cell: (p) => (p.changedAt ? <Time at={p.changedAt} /> : <span class="faint">{words.asItCame()}</span>) },
];
