// What can be done to a batch. Each is confirmed with its count and a reason.
import { post } from '../../api/http';
import type { Batch, BatchMade, Outcome, Slice } from '../../api/types';
import { go, segment } from '../../base/place';
import { actions as words } from '../../i18n/batch';
import { common } from '../../i18n/common';
import { ask } from '../../ui/dialog';
import { Input } from '../../ui/fields';
import { toast } from '../../ui/toast';
import { batchPath } from '../../ui/batch';

const path = (b: { number: string }) => `/v1/batches/${segment(b.number)}`;

const told = (outcome: Outcome, text: string) => toast(outcome.changed ? text : common.unchanged());

export function pause(b: Batch) {
  ask({
    title: words.pause(), say: words.pauseSay({ n: b.documents.pending }), action: words.pause(), reason: true,
    run: async ({ reason }, key) => told(await post<Outcome>(path(b) + '/pause', { reason }, { key }), words.paused({ what: b.number })),
  });
}

export function resume(b: Batch) {
  ask({
    title: words.resume(), say: words.resumeSay({ n: b.documents.pending }), action: words.resume(), reason: true,
    run: async ({ reason }, key) => told(await post<Outcome>(path(b) + '/resume', { reason }, { key }), words.resumed({ what: b.number })),
  });
}

export function cancel(b: Batch) {
  ask({
    title: words.cancel(), say: words.cancelSay({ n: b.documents.pending }), action: words.cancel(), danger: true, reason: true,
    run: async ({ reason }, key) => {
      const outcome = await post<Outcome & { approval?: { id: string } }>(path(b) + '/cancel', { reason }, { key });
      if (outcome.approval) toast(words.cancelWaits(), { to: `/approvals/${segment(outcome.approval.id)}`, text: words.toApproval() });
      else told(outcome, words.cancelled({ what: b.number }));
    },
  });
}

export function verify(b: Batch) {
  ask({
    title: words.verify(), say: words.verifySay({ n: b.documents.migrated }), action: words.verify(), reason: true,
    fields: <Input label={words.verifySample()} name="percent" type="number" min="0.01" max="100" step="0.01" help={words.verifySampleHelp()} />,
    run: async ({ reason, percent }, key) => {
      const sample = percent ? { percent: Number(percent), seed: crypto.getRandomValues(new Uint32Array(1))[0] } : undefined;
      await post(path(b) + '/verify', { reason, sample }, { key });
      toast(words.verified(), { to: batchPath(b.number, 'verifications'), text: words.toVerification() });
    },
  });
}

export function run(b: Batch) {
  ask({
    title: words.run(), say: words.runSay({ n: b.documents.total, m: b.documents.passed }), action: words.run(),
    run: async (_, key) => {
      const made = await post<BatchMade>(path(b) + '/run', undefined, { key });
      toast(words.ran({ what: made.number }));
      go(batchPath(made.number));
    },
  });
}

export function acknowledge(b: Batch) {
  ask({
    title: words.acknowledge(), say: words.acknowledgeSay(), action: words.acknowledge(), reason: true,
    run: async ({ reason }, key) => told(await post<Outcome>(path(b) + '/acknowledge-empty', { reason }, { key }), words.acknowledged()),
  });
}

const slicePath = (number: string, s: Slice) => `${path({ number })}/slices/${segment(s.id)}`;

export function retrySlice(number: string, s: Slice) {
  ask({
    title: words.retrySlice(), say: words.retrySliceSay({ what: s.id, n: s.found, m: s.sourceTotal }), action: words.retrySlice(), reason: true,
    run: async ({ reason }, key) => told(await post<Outcome>(slicePath(number, s) + '/retry', { reason }, { key }), words.sliceRetried()),
  });
}

export function acceptShortfall(number: string, s: Slice) {
  ask({
    title: words.accept(), say: words.acceptSay({ n: s.shortfall - s.accepted }), action: words.accept(), reason: true, danger: true,
    run: async ({ reason }, key) => told(await post<Outcome>(slicePath(number, s) + '/accept-shortfall', { reason }, { key }), words.accepted()),
  });
}
