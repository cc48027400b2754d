import { eventWord } from './document';
import { texts, wordIn, type Pair } from './texts';

export const audit = texts({
  title: ['Audit log', '审计日志'], time: ['Time', '时间'], operator: ['Operator', '操作人'], action: ['Action', '动作'], status: ['Status', '状态变更'], about: ['About', '对象'], reason: ['Reason', '原因'], batch: ['Batch', '批次'], document: ['Document', '单据'], from: ['From', '起'], to: ['Before', '止（不含）'], system: ['by itself', '系统自动'], via: ['by way of {what}', '经 {what}'], hour: ['The last hour', '最近 1 小时'], day: ['The last 24 hours', '最近 24 小时'], none: ['Nothing has happened', '还没有记录'], noneHelp: ['Every step is recorded here, with who did it and why.', '每一步操作及其操作人、原因都记录于此。'],
  export: ['Export', '导出'], exportAs: ['Export as {what}', '导出为 {what}'], exportHelp: ['What fits the filters, from the beginning to now. The export is itself recorded.', '导出符合筛选条件的全部记录，导出行为本身也会记录。'], details: ['Details', '详情'], position: ['Place in the journal', '日志位置'], stream: ['Stream', '事件流'], type: ['Type', '类型'], approver: ['Approved by {what}', '{what} 批准'], file: ['File', '文件'], request: ['Request', '请求号'], address: ['Address', '客户端地址'], entry: ['Audit entry', '审计记录'], documentHelp: ['Id; needs a batch', '标识，需同时选批次'],
});

// What happened to anything but a document, whose words eventWord has.
const others: Record<string, Pair> = {
  'access.command-refused': ['Request refused', '请求被拒绝'], 'access.export-begun': ['Audit export begun', '开始导出审计日志'], 'access.export-ended': ['Audit export ended', '审计日志导出结束'], 'access.refusals-counted': ['Refusals counted', '拒绝次数统计'], 'access.token-issued': ['Token issued', '签发令牌'], 'access.token-revoked': ['Token revoked', '撤销令牌'],
  'approval.requested': ['Approval asked for', '发起审批'], 'approval.approved': ['Approved', '批准'], 'approval.rejected': ['Rejected', '驳回'], 'approval.withdrawn': ['Approval withdrawn', '撤回审批'],
  'batch.created': ['Batch created', '新建批次'], 'batch.cancelled': ['Batch cancelled', '取消批次'], 'batch.finished': ['Batch finished', '批次完成'], 'batch.held': ['Batch held', '批次挂起'], 'batch.released': ['Batch goes on', '批次恢复'], 'batch.paused': ['Batch paused', '暂停批次'], 'batch.resumed': ['Batch resumed', '继续批次'], 'batch.reopened': ['Batch reopened', '批次重新打开'], 'batch.empty-acknowledged': ['Empty batch acknowledged', '确认空批次'], 'batch.shortfall-accepted': ['Shortfall accepted', '接受缺口'],
  'discovery.started': ['Listing begun', '开始列清单'], 'discovery.page-listed': ['Page listed', '清单翻页'], 'discovery.completed': ['Listing complete', '清单完成'], 'discovery.failed': ['Listing failed', '清单失败'], 'discovery.attempt-failed': ['Attempt to list failed', '列清单尝试失败'], 'discovery.listed-again': ['Listed once more', '再次列清单'], 'discovery.retry-requested': ['Listing asked for again', '请求重新列清单'],
  'list.uploaded': ['List uploaded', '上传清单'], 'list.entries-added': ['Entries of a list', '清单条目'],
  'operation.requested': ['Operation asked for', '发起批量操作'], 'operation.advanced': ['Operation advanced', '批量操作推进'], 'operation.completed': ['Operation completed', '批量操作完成'], 'operation.cancelled': ['Operation cancelled', '取消批量操作'], 'operation.paused': ['Operation paused', '暂停批量操作'], 'operation.resumed': ['Operation resumed', '继续批量操作'],
  'profile.registered': ['Profile created', '新建目标方案'], 'profile.reconfigured': ['Profile changed', '更改目标方案'],
  'source.registered': ['Source created', '新增数据源'], 'source.reconfigured': ['Source changed', '更改数据源'], 'source.enabled': ['Source enabled', '启用数据源'], 'source.disabled': ['Source disabled', '禁用数据源'],
  'verification.requested': ['Verification asked for', '发起完整性校验'], 'verification.advanced': ['Verification advanced', '完整性校验推进'], 'verification.completed': ['Verification completed', '完整性校验完成'], 'verification.cancelled': ['Verification cancelled', '取消完整性校验'], 'verification.retry-requested': ['Verification asked for again', '请求复查'],
  'webhook.registered': ['Webhook created', '新建回调'], 'webhook.reconfigured': ['Webhook changed', '更改回调'], 'webhook.enabled': ['Webhook enabled', '启用回调'], 'webhook.disabled': ['Webhook disabled', '禁用回调'], 'webhook.removed': ['Webhook removed', '移除回调'], 'webhook.tested': ['Webhook tested', '测试回调'], 'webhook.retry-requested': ['Delivery asked for again', '请求重新投递'],
};

const all: Record<string, Pair> = { ...Object.fromEntries(Object.entries(eventWord).map(([name, pair]) => [`document.${name}`, pair])), ...others };

export const actions = Object.keys(all).sort();

export const actionWord = wordIn(all);
