// A new target profile, or other settings of one.
import { useRef, useState } from 'preact/hooks';
import { post, Problem } from '../api/http';
import type { Profile, RuleTable } from '../api/types';
import { go, segment } from '../base/place';
import { useResource } from '../base/resource';
import { profileForm as words, profiles } from '../i18n/profiles';
import { common } from '../i18n/common';
import { severityWord } from '../i18n/words';
import { Area, Input, listOf, Segments, Select } from '../ui/fields';
import { Form, replace } from '../ui/form';
import { Page, Panel, Skeleton } from '../ui/parts';
import { ProblemBox } from '../ui/problem';
import { toast } from '../ui/toast';
import { FlagshipFields, flagshipOf } from './profile/flagship';
import { profilePath } from './profiles';

type Values = Record<string, string>;

export default function ProfileFormPage({ name }: { name?: string }) {
  const profile = useResource<Profile>(name === undefined ? null : `/v1/profiles/${segment(name)}`);
  const rules = useResource<RuleTable>('/v1/rules');
  const problem = profile.problem ?? rules.problem;
  const ready = rules.data && (name === undefined || profile.data);
  const crumbs: [string, string][] = [['/profiles', profiles.title()], ...(name === undefined ? [] : [[profilePath(name), name] as [string, string]])];
  return (
    <Page title={name === undefined ? profiles.create() : common.edit()} crumbs={crumbs}>
      {problem && <ProblemBox problem={problem} again={() => { profile.reload(); rules.reload(); }} />}
      {ready ? <Fields of={profile.data} rules={rules.data!} /> : !problem && <Skeleton lines={10} />}
    </Page>
  );
}

const mebibyte = 2 ** 20;
const inMebibytes = (n: number | undefined) => (n === undefined ? undefined : n / mebibyte);

function Fields({ of: p, rules }: { of?: Profile; rules: RuleTable }) {
  const [target, setTarget] = useState<string>(p?.target ?? 'archive');
  // The version that is edited: the page reads the profile again meanwhile.
  const edited = useRef<number | '*' | undefined>(p?.version);
  const save = async (values: Values, key: string) => {
    const settings = settingsOf(values);
    const name = p?.name ?? values.name;
    if (p) {
      const outcome = await replace(`/v1/profiles/${segment(name)}`, settings, key, edited);
      toast(outcome.changed ? words.saved({ what: name }) : common.unchanged());
    } else {
      await post('/v1/profiles', { name, ...settings }, { key });
      toast(words.made({ what: name }));
    }
    go(profilePath(name));
  };
  const will = p ? [words.willChange(), words.willHold(), words.willJudged()] : [words.willCreate(), words.willUse()];
  return (
    <Form will={will} action={p ? common.save() : common.create()} back={p ? profilePath(p.name) : '/profiles'} run={save}
      reason={<Area label={common.reason()} name="reason" required rows={2} maxLength={2000} help={common.reasonHelp()} />}>
      <Panel title={profiles.criteria()}>
        {!p && <Input label={profiles.name()} name="name" required pattern="[a-z0-9\-]{1,64}" maxLength={64} help={words.nameHelp()} />}
        <Input label={profiles.description()} name="description" maxLength={2000} value={p?.description} />
        <Input label={profiles.types()} name="types" required value={(p?.types ?? ['pdf', 'ofd', 'xml', 'jpeg', 'png', 'tiff', 'bmp']).join(', ')} help={words.typesHelp()} />
        <Input label={profiles.tolerated()} name="toleratedTypes" value={(p ? p.toleratedTypes ?? [] : ['heic']).join(', ')} help={words.toleratedHelp()} />
        <div class="pair">
          <Input label={profiles.warnBytes()} name="warn" type="number" required min="0" step="any" value={inMebibytes(p?.warnBytes) ?? 12} help={words.mebibytes()} />
          <Input label={profiles.maxBytes()} name="max" type="number" required min="0" max="4096" step="any" value={inMebibytes(p?.maxBytes) ?? 16} help={words.mebibytes()} />
          <Input label={profiles.minDpi()} name="minDpi" type="number" required min="50" max="1200" value={p?.minDpi ?? 200} help={words.dpiHelp()} />
        </div>
      </Panel>
      <Panel title={profiles.severity()}>
        <p class="faint small">{words.severitiesHelp()}</p>
        <div class="pair wide">
          {rules.items.flatMap((r) => r.findings.filter((f) => !f.fixed).map((f) => (
            <Select key={f.code} label={`${r.id} ${f.code}`} name={`severity:${f.code}`} required value={p?.severities?.find((s) => s.code === f.code)?.severity ?? asTable}
              options={[[asTable, words.asTable()], ...['block', 'warn', 'info', 'off'].map((s) => [s, severityWord(s)] as const)]} />
          )))}
        </div>
      </Panel>
      <Panel title={profiles.target()}>
        <Segments label={profiles.target()} name="target" value={target} onValue={setTarget} options={[['archive', words.archive()], ['flagship', words.flagship()]]} />
        <Area label={profiles.documentTypes()} name="documentTypes" value={linesOf(p?.documentTypes)} help={words.mappingHelp()} />
        <Area label={profiles.organizations()} name="organizations" value={linesOf(p?.organizations)} help={words.mappingHelp()} />
      </Panel>
      {(target === 'flagship' || p?.flagshipTarget) && <FlagshipFields of={p?.flagshipTarget} />}
    </Form>
  );
}

type Mapping = NonNullable<Profile['documentTypes']>;

const linesOf = (mapping: Mapping | undefined) => mapping?.map((m) => `${m.source} = ${m.target}`).join('\n');

function mappingOf(text: string | undefined): Mapping {
  return (text ?? '').split('\n').map((l) => l.trim()).filter(Boolean).map((line) => {
    const at = line.indexOf('=');
    const [source, target] = [line.slice(0, at).trim(), line.slice(at + 1).trim()];
    if (at < 1 || source === '' || target === '') {
      throw new Problem({ type: '', code: 'mapping-invalid', status: 422, title: '', detail: words.mappingWrong({ what: line }), requestId: '' });
    }
    return { source, target };
  });
}

const prefix = 'severity:';
const asTable = 'as-table';

function settingsOf(v: Values) {
  return {
    reason: v.reason, description: v.description, types: listOf(v.types), toleratedTypes: listOf(v.toleratedTypes), warnBytes: Math.round(Number(v.warn) * mebibyte), maxBytes: Math.round(Number(v.max) * mebibyte), minDpi: Number(v.minDpi),
    severities: Object.keys(v).filter((k) => k.startsWith(prefix) && v[k] !== asTable).map((k) => ({ code: k.slice(prefix.length), severity: v[k] })),
    documentTypes: mappingOf(v.documentTypes), organizations: mappingOf(v.organizations), target: v.target, flagshipTarget: flagshipOf(v),
  };
}
