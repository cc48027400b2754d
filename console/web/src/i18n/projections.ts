import { texts, wordIn } from './texts';

export const projections = texts({
  title: ['Projections', '视图'], intro: ['What the pages show is made from the history, by these views. Each can be made anew from it, and is compared with what is live.', '页面内容由这些视图从事件历史生成，均可重建并与当前内容比对。'], view: ['View', '视图'], state: ['State', '状态'], version: ['Version', '版本'], lag: ['Behind by', '滞后'], events: ['one event|{n} events', '{n} 个事件'], upToDate: ['up to date', '已同步'], kept: ['Kept', '保留版本'], position: ['Position', '位置'],
  stopped: ['{what} has stopped', '{what} 已停止'], since: ['since', '自'], stoppedHelp: ['Mend what the error names, or run a build that can apply this event; then resume the view. Nothing was skipped.', '请按错误信息排除原因，或运行能处理该事件的版本，然后继续。没有跳过任何事件。'], event: ['at event', '停在事件'], resume: ['Resume', '继续'], resumeSay: ['{what} tries again from the event that stopped it, in all processes, and stops again when that fails. Nothing is skipped. Do so after what stopped it was mended.', '{what} 将从停止处重试，若再次失败则再次停止，不跳过任何事件。请先排除停止原因。'], resumed: ['{what} tries again', '{what} 正在重试'],
  rollback: ['Roll back', '回退'], rollbackSay: ['Version {n} of {what}, which was kept, is brought up to date and becomes live again; version {m} goes. It goes on by itself, and is listed below.', '{what} 的保留版本 {n} 将追上最新后重新启用，取代版本 {m}。操作自动进行，见下方列表。'], rolledBack: ['The rollback goes on by itself', '回退已开始'], rebuild: ['Rebuild', '重建'], rebuildSay: ['The views are built anew from the history beside the live ones, and swapped in when every row is equal. The live ones stay in use until then; nothing is sent or migrated again.', '从事件历史另行重建视图，逐行一致后切换；期间继续使用现有视图，不会重复发送或迁移。'], begun: ['The rebuild goes on by itself', '重建已开始'],
  views: ['Views', '视图'], viewCount: ['{n} views', '{n} 个视图'], allViews: ['None chosen: all', '不选：全部'], batch: ['Only this batch', '仅此批次'], batchHelp: ['Number. Empty: all', '批次号。留空：全部'], from: ['Events are read from', '事件来源'], journal: ['Journal (PostgreSQL)', '日志库（PostgreSQL）'], kafka: ['Kafka', 'Kafka'], accept: ['Take what the history says although rows differ', '即使有差异也以历史为准'],
  rebuilds: ['Rebuilds and rollbacks', '重建与回退'], none: ['No rebuild yet', '还没有重建'], noneHelp: ['A rebuild proves that the views are what the history says.', '重建可证明视图与事件历史一致。'], kind: ['What', '类型'], progress: ['Progress', '进度'], by: ['By', '操作人'], at: ['Asked for', '发起时间'], ended: ['Ended', '结束时间'], reason: ['Reason', '原因'], result: ['Result', '结果'], cancel: ['Cancel', '取消'], cancelSay: ['The live views stay as they are. What was built stays too, and the next rebuild goes on with it.', '现有视图不变；已重建的部分保留，下次继续。'], cancelled: ['The rebuild is cancelled', '重建已取消'],
  details: ['Details', '详情'], rate: ['{n}/s', '{n}/秒'], left: ['about {time} left', '约剩 {time}'], rows: ['one row compared|{n} rows compared', '比对 {n} 行'], equal: ['equal', '一致'], different: ['one row differs|{n} rows differ', '{n} 行有差异'], swapped: ['version {n} is live', '版本 {n} 已启用'], replaced: ['rows of the batch replaced', '已替换该批次的行'], table: ['Table', '表'], key: ['Row', '行'], live: ['Live', '现有'], rebuilt: ['As the history says', '按历史'], missing: ['no such row', '无此行'], first: ['The first differences', '部分差异'], attempts: ['Attempts', '尝试次数'], again: ['Rebuild, and take the history', '重建并以历史为准'], ofBatch: ['of batch {what}', '批次 {what}'], locked: ['locked for {what}', '锁定 {what}'],
});

export const kindOfRebuild = wordIn({ rebuild: ['Rebuild', '重建'], rollback: ['Rollback', '回退'] });

const stages = wordIn({ replay: ['Replaying events', '重放事件'], index: ['Indexing', '建索引'], compare: ['Comparing {what}', '比对 {what}'] });

// stageWord of a stage such as "compare documents".
export function stageWord(stage: string): string {
  const [name, ...rest] = stage.split(' ');
  return stages(name).replace('{what}', rest.join(' '));
}

export const viewWord = wordIn({
  sources: ['Sources', '数据源'], batches: ['Batches', '批次'], documents: ['Documents', '单据'], worklist: ['Work list', '工作列表'], operations: ['Operations', '批量操作'], audit: ['Audit log', '审计日志'], webhooks: ['Webhooks', '回调通知'], approvals: ['Approvals', '审批'], verifications: ['Verifications', '完整性校验'], profiles: ['Profiles', '目标方案'], lists: ['Lists', '清单'], preflights: ['Preflights', '迁移前校验'],
  leftovers: ['Failures and skips', '失败与暂不迁移'], results: ['Outcomes of operations', '批量操作结果'], coverage: ['Coverage', '覆盖图'], throughput: ['Throughput', '吞吐量'],
});
