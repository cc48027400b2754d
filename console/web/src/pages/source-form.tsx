// A new source, or other settings of one.
import { useRef, useState } from 'preact/hooks';
import { post } from '../api/http';
import type { PageOf, Profile, Source, Window } from '../api/types';
import { go, segment } from '../base/place';
import { useResource } from '../base/resource';
import { sourceForm as words, kindOfSource, sources } from '../i18n/sources';
import { common } from '../i18n/common';
import { Area, Check, Input, listOf, Select } from '../ui/fields';
import { Form, replace } from '../ui/form';
import { Page, Panel, Skeleton } from '../ui/parts';
import { ProblemBox } from '../ui/problem';
import { toast } from '../ui/toast';
import { sourcePath } from './source/actions';
import { Windows } from './source/windows';

export default function SourceFormPage({ id }: { id?: string }) {
  const source = useResource<Source>(id === undefined ? null : `/v1/sources/${segment(id)}`);
  const profiles = useResource<PageOf<Profile>>('/v1/profiles');
  const problem = source.problem ?? profiles.problem;
  const ready = profiles.data && (id === undefined || source.data);
  const crumbs: [string, string][] = [['/sources', sources.title()], ...(id === undefined ? [] : [[sourcePath(id), source.data?.name ?? id] as [string, string]])];
  return (
    <Page title={id === undefined ? sources.create() : common.edit()} crumbs={crumbs}>
      {problem && <ProblemBox problem={problem} again={() => { source.reload(); profiles.reload(); }} />}
      {ready ? <Fields of={source.data} profiles={profiles.data!.items} /> : !problem && <Skeleton lines={10} />}
    </Page>
  );
}

const same = (values: string[]) => values.map((v) => [v, v] as const);

function Fields({ of: s, profiles }: { of?: Source; profiles: Profile[] }) {
  const [windows, setWindows] = useState<Window[]>(s?.windows ?? []);
  // The version that is edited: the page reads the source again meanwhile.
  const edited = useRef<number | '*' | undefined>(s?.version);
  const save = async (values: Record<string, string>, key: string) => {
    const settings = settingsOf(values, windows);
    const id = s?.id ?? values.id;
    if (s) {
      const outcome = await replace(`/v1/sources/${segment(id)}`, settings, key, edited);
      toast(outcome.changed ? words.saved({ what: values.name }) : common.unchanged());
    } else {
      await post('/v1/sources', { id, disabled: values.disabled === 'on', ...settings }, { key });
      toast(words.made({ what: values.name }));
    }
    go(sourcePath(id));
  };
  const will = s ? [words.willChange(), words.willLimits(), words.willSecret()] : [words.willCreate(), words.willSecret(), words.willEnable()];
  return (
    <Form will={will} action={s ? common.save() : common.create()} back={s ? sourcePath(s.id) : '/sources'} run={save}>
      <Panel title={sources.connection()}>
        {!s && <Input label={sources.id()} name="id" required pattern="[a-z0-9\-]{1,64}" maxLength={64} help={words.idHelp()} />}
        <Input label={sources.name()} name="name" required maxLength={200} value={s?.name} />
        <Select label={sources.kind()} name="kind" required value={s?.kind} options={[['standard-imaging', kindOfSource('standard-imaging')]]} help={words.kindHelp()} />
        <Input label={sources.tokenUrl()} name="tokenUrl" type="url" maxLength={2000} value={s?.tokenUrl} help={words.urlHelp()} />
        <Input label={sources.dataUrl()} name="dataUrl" type="url" maxLength={2000} value={s?.dataUrl} help={words.urlHelp()} />
        <div class="pair">
          <Input label={sources.clientId()} name="clientId" maxLength={400} value={s?.clientId} />
          <Input label={sources.secretRef()} name="secretRef" maxLength={1000} value={s?.secretRef} placeholder="env:WAYBILL_SOURCE_SECRET" help={words.secretHelp()} />
        </div>
        <Select label={sources.profile()} name="profile" required value={s?.profile ?? 'flagship'} options={same(profiles.map((p) => p.name))} />
        {!s && <Check label={words.disabled()} name="disabled" />}
      </Panel>
      <Panel title={sources.reading()}>
        <div class="pair">
          <Select label={sources.signAlgorithm()} name="signAlgorithm" required value={s?.signAlgorithm} options={same(['md5', 'sha256', 'hmac-sha256'])} />
          <Select label={sources.timestampUnit()} name="timestampUnit" required value={s?.timestampUnit} options={[['ms', sources.milliseconds()], ['s', sources.seconds()]]} />
          <Select label={sources.hashAlgorithm()} name="hashAlgorithm" required value={s?.hashAlgorithm} options={same(['md5', 'sha1', 'sha256', 'sm3'])} />
        </div>
        <div class="pair">
          <Input label={sources.timeZone()} name="timeZone" value={s?.timeZone ?? 'Asia/Shanghai'} help={words.timeZoneHelp()} />
          <Input label={sources.pageSize()} name="pageSize" type="number" min="1" max="1000" value={s?.pageSize} help={words.pageSizeHelp()} />
        </div>
      </Panel>
      <Panel title={sources.limits()}>
        <div class="pair">
          <Input label={sources.concurrency()} name="concurrency" type="number" min="1" max="1000" value={s?.concurrency} help={words.concurrencyHelp()} />
          <Input label={sources.requestsPerSecond()} name="requestsPerSecond" type="number" min="0" step="any" value={s?.requestsPerSecond || undefined} help={words.zeroHelp()} />
          <Input label={sources.bytesPerSecond()} name="bytesPerSecond" type="number" min="1024" value={s?.bytesPerSecond || undefined} help={words.zeroHelp()} />
        </div>
        <Windows of={windows} change={setWindows} />
      </Panel>
      <Panel title={sources.network()}>
        <Area label={sources.allowedNetworks()} name="allowedNetworks" rows={2} value={s?.allowedNetworks?.join('\n')} help={words.networksHelp()} />
        <Area label={sources.authorities()} name="certificateAuthorities" rows={4} maxLength={65536} value={s?.certificateAuthorities} help={words.authoritiesHelp()} />
      </Panel>
    </Form>
  );
}

const numberOf = (text: string | undefined) => (text === undefined ? undefined : Number(text));

function settingsOf(v: Record<string, string>, windows: Window[]) {
  return {
    name: v.name, kind: v.kind, tokenUrl: v.tokenUrl, dataUrl: v.dataUrl, clientId: v.clientId, secretRef: v.secretRef, profile: v.profile,
    signAlgorithm: v.signAlgorithm, timestampUnit: v.timestampUnit, hashAlgorithm: v.hashAlgorithm, timeZone: v.timeZone, pageSize: numberOf(v.pageSize),
    concurrency: numberOf(v.concurrency), requestsPerSecond: numberOf(v.requestsPerSecond), bytesPerSecond: numberOf(v.bytesPerSecond), windows,
    allowedNetworks: listOf(v.allowedNetworks), certificateAuthorities: v.certificateAuthorities,
  };
}
