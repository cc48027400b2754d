// One act that takes two operators, and the decision about it.
import { post } from '../api/http';
import type { Approval } from '../api/types';
import { number } from '../base/format';
import { useEvery } from '../base/every';
import { segment } from '../base/place';
import { useResource } from '../base/resource';
import { identity, may } from '../base/session';
import { approvals as words, outcomeWord } from '../i18n/approvals';
import { kindWord } from '../i18n/words';
import { batchPath } from '../ui/batch';
import { ask } from '../ui/dialog';
import { Icon } from '../ui/icons';
import { Facts, Figure, Page, Panel, Skeleton } from '../ui/parts';
import { ProblemBox } from '../ui/problem';
import { Status } from '../ui/status';
import { Time } from '../ui/time';
import { toast } from '../ui/toast';

const readEvery = 15_000;

export default function ApprovalPage({ id }: { id: string }) {
  const approval = useResource<Approval>(`/v1/approvals/${segment(id)}`);
  const a = approval.data;
  useEvery(readEvery, approval.reload, a?.status === 'pending');
  const crumbs: [string, string][] = [['/approvals', words.title()]];
  if (!a) return <Page title={id} crumbs={crumbs}>{approval.problem ? <ProblemBox problem={approval.problem} again={approval.reload} /> : <Skeleton lines={8} />}</Page>;
  const own = a.requestedBy === identity.value?.subject;
  return (
    <Page title={words.of({ what: kindWord(a.kind), batch: a.batch })} crumbs={crumbs} status={<Status of={a.status} word={a.status === 'pending' ? words.pending() : undefined} />} actions={<Actions of={a} own={own} />}>
      {approval.problem && <ProblemBox problem={approval.problem} again={approval.reload} />}
      {own && a.status === 'pending' && <div class="notice"><Icon name="clock" /><span>{words.own()}</span></div>}
      {a.refusal && <div class="notice bad"><Icon name="warning" /><span><b>{words.refusal()}</b> {a.refusal.detail} <code>{a.refusal.code}</code></span></div>}
      <div class="figures">
        <Figure name={words.documents()} value={number(a.documents)} />
        {a.unlistedSlices !== undefined && a.unlistedSlices > 0 && <Figure name={words.unlisted()} value={number(a.unlistedSlices)} />}
        <Figure name={words.limit()} value={number(a.limit)} />
      </div>
      <Panel>
        <Facts of={[
          [words.batch(), <a href={batchPath(a.batch)}>{a.batch}</a>], [words.reason(), a.reason], [words.requested(), <><Time at={a.requestedAt} /> · {a.requestedBy}</>], [words.expires(), <Time at={a.expiresAt} />],
          a.decidedAt !== undefined && [words.decided(), <><Time at={a.decidedAt} /> · {a.decidedBy}</>], a.decisionReason !== undefined && [words.decisionReason(), a.decisionReason],
          a.outcome !== undefined && [words.outcome(), outcomeWord(a.outcome)], [words.countedAt(), <code class="faint clip" title={a.countedAt}>{a.countedAt}</code>],
        ]} />
      </Panel>
    </Page>
  );
}

const toldOf = (a: Approval) => (a.outcome === 'refused' ? words.approvedRefused() : a.outcome === 'unchanged' ? words.approvedUnchanged() : words.approved());

function Actions({ of: a, own }: { of: Approval; own: boolean }) {
  if (a.status !== 'pending' || !may('approvals:decide')) return null;
  const decide = (how: 'approve' | 'reject' | 'withdraw', title: string, say: string, told: (a: Approval) => string) => ask({
    title, say, action: title, reason: true, danger: how === 'approve',
    run: async ({ reason }, key) => toast(told((await post<{ approval: Approval }>(`/v1/approvals/${segment(a.id)}/${how}`, { reason }, { key, version: a.version })).approval)),
  });
  if (own) return <button type="button" onClick={() => decide('withdraw', words.withdraw(), words.withdrawSay(), () => words.withdrawn())}>{words.withdraw()}</button>;
  return (
    <>
      <button type="button" onClick={() => decide('reject', words.reject(), words.rejectSay({ who: a.requestedBy }), () => words.rejected())}>{words.reject()}</button>
      <button type="button" class="primary" onClick={() => decide('approve', words.approve(), words.approveSay({ what: kindWord(a.kind), batch: a.batch, n: a.documents }) + (a.unlistedSlices ? ' ' + words.approveUnlisted({ n: a.unlistedSlices }) : ''), toldOf)}>{words.approve()}</button>
    </>
  );
}
