import { texts, wordIn } from './texts';

export const approvals = texts({
  title: ['Approvals', '审批'], kind: ['What', '事项'], batch: ['Batch', '批次'], status: ['Status', '状态'], documents: ['Documents', '单据'], requested: ['Asked for', '发起时间'], requestedBy: ['By', '发起人'], reason: ['Reason', '原因'], expires: ['Good until', '有效期至'], decided: ['Decided', '审批时间'], decisionReason: ['Reason of the decision', '审批意见'],
  none: ['Nothing has been asked for', '还没有审批'], noneHelp: ['An act that changes more documents than one operator may change alone waits here for a second one.', '影响单据数超过单人上限的操作将在此等待另一名操作员批准。'], limit: ['One operator alone', '单人上限'], unlisted: ['Slices not listed yet', '尚未列出的分段'], outcome: ['Outcome', '结果'], refusal: ['Why nothing was done', '未执行原因'], countedAt: ['Counted at', '统计位置'],
  approve: ['Approve', '批准'], reject: ['Reject', '驳回'], withdraw: ['Withdraw', '撤回'], approveSay: ['It is done at once: {what} of batch {batch}, which changes {n} documents.', '将立即执行：{what}（批次 {batch}），影响 {n} 单。'], approveUnlisted: ['Of {n} slices nobody knows yet how many documents they have.', '另有 {n} 个分段尚未列出，单据数未知。'], rejectSay: ['Nothing is done. {who} can ask again.', '不执行，{who} 可重新发起。'], withdrawSay: ['Nothing is done. You can ask again.', '不执行，可重新发起。'], approved: ['Approved, and done', '已批准并执行'], approvedUnchanged: ['Approved; it was so already', '已批准；原本如此，无变化'], approvedRefused: ['Approved, but it could not be done', '已批准，但未能执行'], rejected: ['Rejected', '已驳回'], withdrawn: ['Withdrawn', '已撤回'],
  own: ['You asked for this yourself: another operator decides about it.', '由您本人发起，须由另一名操作员审批。'], of: ['{what}: {batch}', '{what}：{batch}'], pending: ['Waits for a decision', '待审批'],
});

export const outcomeWord = wordIn({ done: ['Done', '已执行'], unchanged: ['It was so already', '无变化'], refused: ['Not done', '未执行'] });
