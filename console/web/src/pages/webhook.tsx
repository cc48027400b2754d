// One webhook: what it is told, and what became of it.
import type { Webhook } from '../api/types';
import { segment } from '../base/place';
import { useResource } from '../base/resource';
import { may } from '../base/session';
import { webhookActions, webhooks as words } from '../i18n/webhooks';
import { common } from '../i18n/common';
import { batchPath } from '../ui/batch';
import { Facts, Page, Panel, Skeleton } from '../ui/parts';
import { ProblemBox } from '../ui/problem';
import { Status } from '../ui/status';
import { Time } from '../ui/time';
import { disable, enable, remove, test, webhookPath } from './webhook/actions';
import { Deliveries } from './webhook/deliveries';

export default function WebhookPage({ id }: { id: string }) {
  const webhook = useResource<Webhook>(`/v1/webhooks/${segment(id)}`);
  const w = webhook.data;
  const crumbs: [string, string][] = [['/webhooks', words.title()]];
  if (!w) return <Page title={id} crumbs={crumbs}>{webhook.problem ? <ProblemBox problem={webhook.problem} again={webhook.reload} /> : <Skeleton lines={8} />}</Page>;
  return (
    <Page title={w.id} crumbs={crumbs} status={<Status of={w.status} />} actions={may('webhooks:write') && <Actions of={w} />}>
      {webhook.problem && <ProblemBox problem={webhook.problem} again={webhook.reload} />}
      {w.description && <p class="below">{w.description}</p>}
      <Panel title={words.settings()}>
        <Facts of={[
          [words.url(), <code>{w.url}</code>], [words.secretRefs(), <Codes of={w.secretRefs} />], [words.types(), <Codes of={w.types} />],
          [words.batches(), w.batches ? w.batches.map((b) => <><a key={b} href={batchPath(b)}>{b}</a> </>) : words.all()], [words.organizations(), w.organizations?.join(', ') ?? words.all()], [words.networks(), w.allowedNetworks?.join(', ') || common.none()],
          [words.changed(), <><Time at={w.changedAt} /> · {w.changedBy}</>], w.reason !== undefined && [words.reason(), w.reason], [words.registered(), <Time at={w.registeredAt} />], [words.start(), <code class="faint clip" title={w.start}>{w.start}</code>],
        ]} />
      </Panel>
      <Deliveries webhook={w.id} />
    </Page>
  );
}

const Codes = ({ of }: { of?: string[] }) => <>{of ? of.map((c) => <code key={c} class="block">{c}</code>) : words.all()}</>;

function Actions({ of: w }: { of: Webhook }) {
  return (
    <>
      <button type="button" class="primary" onClick={() => test(w)}>{webhookActions.test()}</button>
      <a class="button" href={webhookPath(w.id, 'edit')}>{common.edit()}</a>
      {w.status === 'enabled' ? <button type="button" class="danger" onClick={() => disable(w)}>{webhookActions.disable()}</button> : <button type="button" onClick={() => enable(w)}>{webhookActions.enable()}</button>}
      <button type="button" class="danger" onClick={() => remove(w)}>{webhookActions.remove()}</button>
    </>
  );
}
