// A new webhook, or other settings of one.
import { useRef } from 'preact/hooks';
import { post } from '../api/http';
import type { Webhook } from '../api/types';
import { go, segment } from '../base/place';
import { useResource } from '../base/resource';
import { webhooks as words } from '../i18n/webhooks';
import { common } from '../i18n/common';
import { Area, Input, listOf } from '../ui/fields';
import { Form, replace } from '../ui/form';
import { Page, Panel, Skeleton } from '../ui/parts';
import { ProblemBox } from '../ui/problem';
import { toast } from '../ui/toast';
import { webhookPath } from './webhook/actions';

export default function WebhookFormPage({ id }: { id?: string }) {
  const webhook = useResource<Webhook>(id === undefined ? null : `/v1/webhooks/${segment(id)}`);
  const crumbs: [string, string][] = [['/webhooks', words.title()], ...(id === undefined ? [] : [[webhookPath(id), id] as [string, string]])];
  return (
    <Page title={id === undefined ? words.create() : common.edit()} crumbs={crumbs}>
      {webhook.problem && <ProblemBox problem={webhook.problem} again={webhook.reload} />}
      {id === undefined || webhook.data ? <Fields of={webhook.data} /> : !webhook.problem && <Skeleton lines={10} />}
    </Page>
  );
}

function Fields({ of: w }: { of?: Webhook }) {
  // The version that is edited: the page reads the webhook again meanwhile.
  const edited = useRef<number | '*' | undefined>(w?.version);
  const save = async (values: Record<string, string>, key: string) => {
    const id = w?.id ?? values.id;
    if (w) {
      const outcome = await replace(`/v1/webhooks/${segment(id)}`, settingsOf(values), key, edited);
      toast(outcome.changed ? words.saved({ what: id }) : common.unchanged());
    } else {
      await post('/v1/webhooks', { id, ...settingsOf(values) }, { key });
      toast(words.made({ what: id }));
    }
    go(webhookPath(id));
  };
  const will = w ? [words.willChange(), words.willWithdraw(), words.willSign()] : [words.willCreate(), words.willSign()];
  return (
    <Form will={will} action={w ? common.save() : common.create()} back={w ? webhookPath(w.id) : '/webhooks'} run={save}>
      <Panel title={words.receiver()}>
        {!w && <Input label={words.id()} name="id" required pattern="[a-z0-9\-]{1,64}" maxLength={64} help={words.idHelp()} />}
        <Input label={words.url()} name="url" type="url" required maxLength={2000} value={w?.url} help={words.urlHelp()} />
        <Area label={words.secretRefs()} name="secretRefs" required rows={2} value={w?.secretRefs.join('\n')} help={words.secretHelp()} />
        <Area label={words.networks()} name="allowedNetworks" rows={2} value={w?.allowedNetworks?.join('\n')} help={words.networksHelp()} />
        <Input label={words.description()} name="description" maxLength={2000} value={w?.description} />
      </Panel>
      <Panel title={words.what()}>
        <Area label={words.types()} name="types" rows={4} value={w?.types?.join('\n')} help={words.typesHelp()} />
        <Area label={words.batches()} name="batches" rows={2} value={w?.batches?.join('\n')} help={words.batchesHelp()} />
        <Input label={words.organizations()} name="organizations" value={w?.organizations?.join(', ')} help={words.organizationsHelp()} />
      </Panel>
    </Form>
  );
}

// some of a list; nothing where it is empty, which means all.
const some = (list: string[]) => (list.length > 0 ? list : undefined);

const settingsOf = (v: Record<string, string>) => ({
  url: v.url, secretRefs: listOf(v.secretRefs), description: v.description, allowedNetworks: some(listOf(v.allowedNetworks)),
  types: some(listOf(v.types)), batches: some(listOf(v.batches)), organizations: some(listOf(v.organizations)),
});
