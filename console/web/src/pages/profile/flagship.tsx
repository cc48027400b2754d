// Where documents are filed besides: a flagship-edition platform.
import type { FlagshipTarget } from '../../api/types';
import { profileForm as words, profiles } from '../../i18n/profiles';
import { sourceForm } from '../../i18n/sources';
import { Area, Input, listOf } from '../../ui/fields';
import { Panel } from '../../ui/parts';

const mebibyte = 2 ** 20;

export function FlagshipFields({ of: t }: { of?: FlagshipTarget }) {
  return (
    <Panel title={profiles.flagship()}>
      <Input label={profiles.url()} name="url" type="url" required maxLength={2000} value={t?.url} help={words.urlHelp()} />
      <div class="pair">
        <Input label={profiles.appId()} name="appId" required maxLength={200} value={t?.appId} />
        <Input label={profiles.secretRef()} name="secretRef" required maxLength={1000} value={t?.secretRef} help={words.secretHelp()} />
      </div>
      <div class="pair">
        <Input label={profiles.tenantId()} name="tenantId" required maxLength={200} value={t?.tenantId} />
        <Input label={profiles.accountId()} name="accountId" required maxLength={200} value={t?.accountId} />
      </div>
      <div class="pair">
        <Input label={profiles.user()} name="user" required maxLength={200} value={t?.user} />
        <Input label={profiles.userType()} name="userType" maxLength={200} value={t?.userType ?? 'UserName'} />
        <Input label={profiles.language()} name="language" maxLength={200} value={t?.language ?? 'zh_CN'} />
      </div>
      <div class="pair">
        <Input label={profiles.resource()} name="resource" maxLength={50} value={t?.resource} help={words.resourceHelp()} />
        <Input label={profiles.concurrency()} name="concurrency" type="number" min="1" max="100" value={t?.concurrency ?? 8} />
        <Input label={profiles.maxFileBytes()} name="maxFile" type="number" min="0" max="1024" step="any" value={t?.maxFileBytes === undefined ? 16 : t.maxFileBytes / mebibyte} help={words.mebibytes()} />
      </div>
      <Area label={profiles.allowedNetworks()} name="allowedNetworks" rows={2} value={t?.allowedNetworks?.join('\n')} help={sourceForm.networksHelp()} />
      <Area label={profiles.authorities()} name="certificateAuthorities" rows={4} maxLength={65536} value={t?.certificateAuthorities} help={sourceForm.authoritiesHelp()} />
    </Panel>
  );
}

// flagshipOf a form's values; undefined where it does not ask for one.
export function flagshipOf(v: Record<string, string>): FlagshipTarget | undefined {
  if (v.url === undefined) return undefined;
  return {
    url: v.url, appId: v.appId, secretRef: v.secretRef, tenantId: v.tenantId, accountId: v.accountId, user: v.user, userType: v.userType, language: v.language, resource: v.resource,
    concurrency: Number(v.concurrency ?? 0), maxFileBytes: Math.round(Number(v.maxFile ?? 0) * mebibyte), allowedNetworks: listOf(v.allowedNetworks), certificateAuthorities: v.certificateAuthorities,
  };
}
