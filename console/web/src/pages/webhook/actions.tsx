// What can be done to a webhook and its deliveries.
import { post } from '../../api/http';
import type { Delivery, Outcome, Webhook, WebhookTested } from '../../api/types';
import { go, segment } from '../../base/place';
import { deliveries, webhookActions as words } from '../../i18n/webhooks';
import { common } from '../../i18n/common';
import { ask } from '../../ui/dialog';
import { toast } from '../../ui/toast';

export const webhookPath = (id: string, tab = '') => `/webhooks/${segment(id)}${tab && '/' + tab}`;

const path = (id: string) => `/v1/webhooks/${segment(id)}`;

const told = (outcome: Outcome, text: string) => toast(outcome.changed ? text : common.unchanged());

export function enable({ id }: Webhook) {
  ask({
    title: words.enable(), say: words.enableSay({ what: id }), action: words.enable(), reason: true,
    run: async ({ reason }, key) => told(await post<Outcome>(path(id) + '/enable', { reason }, { key }), words.enabled({ what: id })),
  });
}

export function disable({ id }: Webhook) {
  ask({
    title: words.disable(), say: words.disableSay({ what: id }), action: words.disable(), danger: true, reason: true,
    run: async ({ reason }, key) => told(await post<Outcome>(path(id) + '/disable', { reason }, { key }), words.disabled({ what: id })),
  });
}

export function remove({ id }: Webhook) {
  ask({
    title: words.remove(), say: words.removeSay({ what: id }), action: words.remove(), danger: true, reason: true,
    run: async ({ reason }, key) => {
      told(await post<Outcome>(path(id) + '/remove', { reason }, { key }), words.removed({ what: id }));
      go('/webhooks');
    },
  });
}

export function test({ id }: Webhook) {
  ask({
    title: words.test(), say: words.testSay({ what: id }), action: words.test(), reason: true,
    run: async ({ reason }, key) => {
      await post<WebhookTested>(path(id) + '/test', { reason }, { key });
      toast(words.tested());
    },
  });
}

export function retry(webhook: string, d: Delivery) {
  ask({
    title: deliveries.retry(), say: deliveries.retrySay({ what: d.type, n: d.attempts }), action: deliveries.retry(), reason: true,
    run: async ({ reason }, key) => told(await post<Outcome>(`${path(webhook)}/deliveries/${segment(d.id)}/retry`, { reason }, { key }), deliveries.retried()),
  });
}
