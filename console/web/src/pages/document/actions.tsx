// What can be done to a document and to a file of it.
import { post } from '../../api/http';
import type { Document, DocumentFile, Outcome, Rehearsal } from '../../api/types';
import { segment } from '../../base/place';
import { common } from '../../i18n/common';
import { document as words } from '../../i18n/document';
import { ask, Dialog, show } from '../../ui/dialog';
import { Input } from '../../ui/fields';
import { toast } from '../../ui/toast';
import { Rehearsed } from './rehearsed';

const path = (number: string, d: { id: string }) => `/v1/batches/${segment(number)}/documents/${segment(d.id)}`;

const told = (outcome: Outcome, text: string) => toast(outcome.changed ? text : common.unchanged());

export function retry(number: string, d: Document) {
  ask({
    title: words.retry(), say: words.retrySay(), action: words.retry(), reason: true,
    run: async ({ reason }, key) => told(await post<Outcome>(path(number, d) + '/retry', { reason }, { key }), words.retried()),
  });
}

export function except(number: string, d: Document) {
  ask({
    title: words.except(), say: words.exceptSay(), action: words.except(), danger: true, reason: true,
    fields: <Input label={words.evidence()} name="evidence" required help={words.evidenceHelp()} maxLength={2000} />,
    run: async ({ reason, evidence }, key) => told(await post<Outcome>(path(number, d) + '/except', { reason, evidence }, { key }), words.excepted()),
  });
}

export function revoke(number: string, d: Document) {
  ask({
    title: words.revoke(), say: words.revokeSay(), action: words.revoke(), reason: true,
    run: async ({ reason }, key) => told(await post<Outcome>(path(number, d) + '/revoke-exception', { reason }, { key }), words.revoked()),
  });
}

export function rehearse(number: string, d: Document) {
  ask({
    title: words.rehearse(), say: words.rehearseSay(), action: words.rehearse(),
    run: async (_, key) => {
      const found = await post<Rehearsal>(path(number, d) + '/rehearse', undefined, { key, quiet: true });
      // After the dialog that asked has closed.
      setTimeout(() => show(<Dialog title={words.rehearsed()} wide><Rehearsed of={found} /></Dialog>));
    },
  });
}

export function skip(number: string, d: Document, f: DocumentFile) {
  ask({
    title: words.skip(), say: words.skipSay({ what: f.name }), action: words.skip(), reason: true,
    fields: <div class="pair"><Input label={words.ownerField()} name="owner" maxLength={200} /><Input label={words.reviewDate()} name="reviewOn" type="date" /></div>,
    run: async ({ reason, owner, reviewOn }, key) => told(await post<Outcome>(`${path(number, d)}/files/${segment(f.id)}/skip`, { reason, owner, reviewOn }, { key }), words.skipped()),
  });
}

export function recall(number: string, d: { id: string }, f: { id: string; name: string }) {
  ask({
    title: words.recall(), say: words.recallSay({ what: f.name }), action: words.recall(), reason: true,
    run: async ({ reason }, key) => told(await post<Outcome>(`${path(number, d)}/files/${segment(f.id)}/recall`, { reason }, { key }), words.recalled()),
  });
}
