import { useState } from 'preact/hooks';
import { post, Problem, requestKey } from '../api/http';
import type { BatchMade, List, PageOf, Profile, Source } from '../api/types';
import { at, go } from '../base/place';
import { useResource } from '../base/resource';
import { identity, restricted } from '../base/session';
import { batches, create as words } from '../i18n/batches';
import { kindWord } from '../i18n/words';
import { batchPath } from '../ui/batch';
import { Input, listOf, Segments, Select, valuesOf } from '../ui/fields';
import { Page, Panel, Skeleton } from '../ui/parts';
import { ProblemBox } from '../ui/problem';
import { Empty } from '../ui/table';
import { toast } from '../ui/toast';

type Values = Record<string, string>;

export default function NewBatchPage() {
  const sources = useResource<PageOf<Source>>('/v1/sources');
  const profiles = useResource<PageOf<Profile>>('/v1/profiles');
  const lists = useResource<PageOf<List>>(restricted() ? null : '/v1/lists?limit=200');
  const problem = sources.problem ?? profiles.problem ?? lists.problem;
  return (
    <Page title={words.title()} crumbs={[['/batches', batches.title()]]}>
      {problem && <ProblemBox problem={problem} again={() => { sources.reload(); profiles.reload(); lists.reload(); }} />}
      {!sources.data || !profiles.data || !(lists.data || restricted()) ? !problem && <Skeleton lines={8} />
        : sources.data.items.every((s) => s.status === 'disabled')
          ? <Empty title={words.noSources()}><p>{words.noSourcesHelp()}</p><a class="button" href="/sources">{words.toSources()}</a></Empty>
          : <Form sources={sources.data.items} profiles={profiles.data.items} lists={lists.data?.items ?? []} />}
    </Page>
  );
}

function Form({ sources, profiles, lists }: { sources: Source[]; profiles: Profile[]; lists: List[] }) {
  const enabled = sources.filter((s) => s.status === 'enabled');
  const [values, setValues] = useState<Values>({
    mode: at('mode') || 'migrate', source: at('source') || enabled[0].id, from: at('from'), to: at('to'),
    organizations: at('organizations') || (identity.value?.organizations ?? []).join(', '), documentTypes: at('documentTypes'), list: at('list'), profile: at('profile'),
  });
  const [problem, setProblem] = useState<Problem>();
  const [busy, setBusy] = useState(false);
  const [key, setKey] = useState(requestKey());
  const source = sources.find((s) => s.id === values.source) ?? enabled[0];
  const list = lists.find((l) => l.id === values.list);
  const backwards = Boolean(values.from && values.to && values.from > values.to);
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    setBusy(true);
    setProblem(undefined);
    try {
      const made = await post<BatchMade>('/v1/batches', bodyOf(values), { key });
      toast(words.made({ what: made.number }), { to: batchPath(made.number), text: words.show() });
      go(batchPath(made.number));
    } catch (error) {
      setProblem(error as Problem);
      setKey(requestKey());
      setBusy(false);
    }
  };
  return (
    <form class="split" onSubmit={submit} onInput={(e) => setValues(valuesOf(e.currentTarget))}>
      <Panel>
        <Segments label={words.what()} name="mode" value={values.mode} options={[['migrate', words.migrate()], ['preflight', words.preflight()]]} />
        <Select label={batches.source()} name="source" required value={values.source} options={enabled.map((s) => [s.id, s.name] as const)} />
        <div class="pair">
          <Input label={batches.from()} name="from" type="date" required={list?.kind !== 'imageNumber'} value={values.from} />
          <Input label={batches.to()} name="to" type="date" required={list?.kind !== 'imageNumber'} value={values.to} help={words.datesHelp()} />
        </div>
        {backwards && <p class="wrong" role="alert">{words.wrongPeriod()}</p>}
        <Input label={batches.organizations()} name="organizations" required={restricted()} value={values.organizations} help={restricted() ? words.organizationsOwn() : words.organizationsHelp()} />
        <Input label={batches.documentTypes()} name="documentTypes" value={values.documentTypes} help={words.documentTypesHelp()} />
        {!restricted() && <Select label={batches.list()} name="list" value={values.list} help={words.listHelp()} options={[['', words.noList()], ...lists.map((l) => [l.id, `${l.name || l.id} (${kindWord(l.kind)})`] as const)]} />}
        <Select label={batches.profile()} name="profile" value={values.profile} help={words.profileHelp()}
          options={[['', words.profileOf({ what: source.profile ?? 'flagship' })], ...profiles.map((p) => [p.name, p.name] as const)]} />
      </Panel>
      <Panel title={words.will()}>
        <ul class="will">
          <li>{values.mode === 'preflight' ? words.willPreflight({ source: source.name }) : words.willMigrate({ source: source.name })}</li>
          {values.from && values.to && !backwards && <li>{words.willMonths({ n: months(values.from, values.to) })}{values.organizations && words.willPer()}</li>}
          {list && <li>{words.willList()}</li>}
          {values.mode !== 'preflight' && <li>{words.willLater()}</li>}
        </ul>
        {problem && <ProblemBox problem={problem} />}
        <button type="submit" class="primary" disabled={busy || backwards}>{values.mode === 'preflight' ? words.preflight() : words.migrate()}</button>
      </Panel>
    </form>
  );
}

const months = (from: string, to: string) => (Number(to.slice(0, 4)) - Number(from.slice(0, 4))) * 12 + Number(to.slice(5, 7)) - Number(from.slice(5, 7)) + 1;

const bodyOf = (v: Values) => ({
  source: v.source, mode: v.mode, profile: v.profile,
  scope: { from: v.from, to: v.to, list: v.list, organizations: listOf(v.organizations), documentTypes: listOf(v.documentTypes) },
});
