// The table of rules: what each looks at, and what its findings mean under
// each profile. The one that ?rule= names is open.
import { useEffect } from 'preact/hooks';
import type { Finding, Rule, RuleTable } from '../../api/types';
import { mebibytes } from '../../base/format';
import { at, here } from '../../base/place';
import { language } from '../../base/preferences';
import type { Resource } from '../../base/resource';
import { judgesWord, parameterWord, profiles as words } from '../../i18n/profiles';
import { categoryWord } from '../../i18n/words';
import { Facts } from '../../ui/parts';
import { Severity } from '../../ui/severity';
import { Choice, Empty, Filters, Table, type Column } from '../../ui/table';

// So many profiles have room beside each other.
const room = 4;

export function Rules({ of }: { of: Resource<RuleTable> }) {
  const all = [...new Set(of.data?.items.flatMap((r) => r.findings.flatMap((f) => f.severities.map((s) => s.profile))))];
  const shown = at('profile') ? [at('profile')] : all.slice(0, room);
  const open = at('rule');
  useEffect(() => {
    if (open !== '' && of.data) document.getElementById(`rule-${open}`)?.scrollIntoView({ block: 'center' });
  }, [of.data !== undefined]);
  return (
    <>
      {all.length > 1 && <Filters names={['profile']}><Choice name="profile" label={words.profiles()} options={all.map((p) => [p, p] as const)} /></Filters>}
      <Table label={words.rules()} columns={columns(shown, open)} of={of} id={(r) => r.id} empty={<Empty title={words.noRules()} />}
        after={(r) => r.id === open && <tr key={`${r.id}-open`} id={`rule-${r.id}`} class="opened"><td colSpan={3 + shown.length}><Detail of={r} profiles={shown} /></td></tr>} />
    </>
  );
}

const spoken = (text: { en: string; zh: string }) => text[language.value];

const columns = (profiles: string[], open: string): Column<Rule>[] => [
  { key: 'id', head: words.rule(), cell: (r) => <a href={here({ rule: r.id === open ? '' : r.id })} aria-expanded={r.id === open}><b>{r.id}</b></a> },
  { key: 'title', head: words.asks(), cell: (r) => <span>{spoken(r.title)} <code class="faint">{r.name}</code></span> },
  { key: 'judges', head: words.judges(), minor: true, cell: (r) => judgesWord(r.judges) },
  ...profiles.map((p): Column<Rule> => ({ key: p, head: p, cell: (r) => <span class="statuses">{meaningsIn(r, p).map((s) => <Severity key={s} of={s} />)}</span> })),
];

const severityIn = (f: Finding, profile: string) => f.severities.find((s) => s.profile === profile)?.severity;

const meaningsIn = (r: Rule, profile: string) => ['block', 'warn', 'info', 'off'].filter((s) => r.findings.some((f) => severityIn(f, profile) === s));

function Detail({ of: r, profiles }: { of: Rule; profiles: string[] }) {
  return (
    <div class="rule">
      <Facts of={[[words.judges(), judgesWord(r.judges)], [words.citation(), r.citation], ...r.parameters.map((p) => [parameterWord(p.name), <Values name={p.name} of={p.values.filter((v) => profiles.includes(v.profile))} />] as const)]} />
      {r.findings.length === 0 && <p class="faint">{words.exempts()}</p>}
      <ul class="findings">
        {r.findings.map((f) => (
          <li key={f.code}>
            <p class="line"><code>{f.code}</code>{f.category && <span class="faint">{categoryWord(f.category)}</span>}{f.fixed && <span class="tag">{words.fixed()}</span>}{f.retryable && <span class="tag">{words.byItself()}</span>}</p>
            <p class="line">{profiles.map((p) => <span key={p} class="faint">{p} <Severity of={severityIn(f, p) ?? 'off'} /></span>)}</p>
            <p class="remedy">{spoken(f.remedy)}</p>
          </li>
        ))}
      </ul>
    </div>
  );
}

const sizes = ['warnBytes', 'maxBytes', 'anyProfileBytes'];

// Values of a parameter: one where the profiles agree.
function Values({ name, of }: { name: string; of: { profile: string; value: string }[] }) {
  const told = (value: string) => (sizes.includes(name) ? mebibytes(Number(value)) : value);
  if (new Set(of.map((v) => v.value)).size === 1) return <code>{told(of[0].value)}</code>;
  return <ul>{of.map((v) => <li key={v.profile}><span class="faint">{v.profile}</span> <code>{told(v.value)}</code></li>)}</ul>;
}
