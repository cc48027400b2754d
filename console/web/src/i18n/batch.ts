import { texts } from './texts';

export const batch = texts({
  documents: ['Documents', '单据'], files: ['Files', '文件'], listed: ['listed', '已列出'], listings: ['Listings', '清单'], slices: ['Slices', '清单分段'], failures: ['Failures', '失败分组'],
  operations: ['Operations', '批量操作'], verifications: ['Verifications', '完整性校验'], report: ['Report', '校验报告'], match: ['Match with list', '清单对账'], changes: ['Changes', '变化'],
  sourceTotal: ['The source’s total', '来源总数'], found: ['listed', '已列出'], duplicates: ['Listed again', '重复列出'], conflicts: ['Conflicts', '冲突'], shortfall: ['never listed', '未列出（缺口）'], unaccepted: ['Not accepted', '未接受缺口'],
  slicesFailed: ['one slice failed|{n} slices failed', '{n} 段失败'], unlisted: ['Not in the list', '清单之外'], written: ['Written', '新写入'], unchanged: ['Unchanged', '未变化'], newVersions: ['New versions', '新版本'],
  emptyNotice: ['Nothing is in scope. The source was listed to its end, and it has no document that fits. Check the period and the codes, or acknowledge that this is so.', '范围内没有单据。已完整读取来源清单，未找到符合的单据。请检查时间范围与编码，或确认属实。'],
  heldNotice: ['The batch holds: its source is disabled. It goes on when the source is enabled.', '批次已挂起：数据源被禁用。启用后自动继续。'], pausedNotice: ['The batch is paused. What was under way was finished; nothing new begins.', '批次已暂停。进行中的已完成，不再开始新的。'],
  shortfallNotice: ['The source says it has one more document than it listed. List the slice again, or accept the shortfall with a reason.|The source says it has {n} more documents than it listed. List the slices again, or accept the shortfall with a reason.', '来源声明的总数比列出的多 {n} 单。请重新列清单，或填写原因接受缺口。'],
  toSlices: ['Show the slices', '查看分段'], toSource: ['Show the source', '查看数据源'],
});

export const actions = texts({
  pause: ['Pause', '暂停'], pauseSay: ['{n} documents are pending. Those under way are finished, and no other begins.', '还有 {n} 单待处理。进行中的会完成，不再开始新的。'], paused: ['Batch {what} is paused', '批次 {what} 已暂停'],
  resume: ['Resume', '继续'], resumeSay: ['{n} documents are pending and go on.', '{n} 单待处理，将继续。'], resumed: ['Batch {what} goes on', '批次 {what} 已继续'],
  cancel: ['Cancel the batch', '取消批次'], cancelSay: ['{n} documents are pending and will not be migrated. What has arrived stays. This cannot be taken back.', '{n} 单待处理将不再迁移，已迁移的保留。此操作不可撤销。'], cancelled: ['Batch {what} is cancelled', '批次 {what} 已取消'],
  cancelWaits: ['The cancellation waits for a second operator', '取消需另一名操作员批准'], toApproval: ['Show the approval', '查看审批'],
  verify: ['Verify', '完整性校验'], verifySay: ['The bytes of {n} migrated documents are read from the archive again and compared with what was stored. Nothing is deleted, and the source is not asked.', '重新读取归档中 {n} 单的文件并与存入时比对。不删除、不访问来源。'],
  verifySample: ['Of these, percent', '抽样百分比'], verifySampleHelp: ['Empty: all', '留空：全部'], verified: ['The verification goes on by itself', '校验已开始'], toVerification: ['Show', '查看'],
  run: ['Migrate this scope', '按此范围迁移'], runSay: ['A batch of the same source, profile and scope is created. Of {n} documents, {m} would pass.', '按相同来源、配置和范围新建批次。{n} 单中 {m} 单可通过。'], ran: ['Batch {what} was created', '批次 {what} 已创建'], show: ['Show', '查看'],
  acknowledge: ['Acknowledge', '确认为空'], acknowledgeSay: ['The batch is recorded as rightly empty: 0 documents.', '将记录此批次确实为空：0 单。'], acknowledged: ['Acknowledged', '已确认'],
  retrySlice: ['List again', '重新列清单'], retrySliceSay: ['The slice {what} is listed from its first page: {n} documents were found, and the source says {m}.', '分段 {what} 将从首页重新读取：已找到 {n} 单，来源声明 {m} 单。'], sliceRetried: ['The slice is listed again', '正在重新列清单'],
  accept: ['Accept shortfall', '接受缺口'], acceptSay: ['{n} documents that the source counted and never listed are accepted as missing. The batch then counts as succeeded with exceptions.', '接受来源计入但从未列出的 {n} 单缺口。批次将记为“成功（有例外）”。'], accepted: ['The shortfall is accepted', '已接受缺口'],
  export: ['Failures as XLSX', '导出失败（XLSX）'], more: ['More', '更多'],
});

export const documents = texts({
  image: ['Image number', '影像编号'], bill: ['Bill number', '单据编号'], type: ['Type', '类型'], organization: ['Organisation', '组织'], date: ['Bill date', '单据日期'], status: ['Status', '状态'], failure: ['Failure', '失败原因'], files: ['Files', '文件'],
  changed: ['Changed', '变更时间'], category: ['Category', '失败分类'], code: ['Code', '代码'], text: ['Begins with', '编号开头'], textHelp: ['Image or bill number', '影像或单据编号'], fingerprint: ['Failure group', '失败分组'], empty: ['No document yet', '还没有单据'],
  emptyHelp: ['They appear as the source lists them.', '来源列出后显示于此。'], count: ['one document|{n} documents', '{n} 单'], retryThese: ['Retry these', '重试这些'],
});

export const slices = texts({
  slice: ['Slice', '分段'], period: ['Period', '时间范围'], organization: ['Organisation', '组织'], status: ['Status', '状态'], total: ['Source’s total', '来源总数'], found: ['Found', '已找到'], duplicates: ['Again', '重复'], shortfall: ['Shortfall', '缺口'],
  pass: ['Pass', '轮次'], why: ['Why', '原因'], empty: ['No slice yet', '还没有分段'], accepted: ['{n} accepted', '已接受 {n}'], nextAttempt: ['next attempt', '下次尝试'],
});

export const failures = texts({
  group: ['What failed', '失败内容'], count: ['Documents', '单据'], stage: ['Stage', '环节'], category: ['Category', '分类'], first: ['First seen', '首次'], last: ['Last seen', '最近'], retryable: ['Can be retried', '可重试'], notRetryable: ['Needs a correction first', '需先更正'],
  remedy: ['What to do', '处理办法'], sample: ['Example', '示例'], byList: ['Retry by list', '按清单重试'], byListSay: ['The sheet of failures can be handed out, and brought back under Lists when it is corrected. Documents that stand in it and are failed in this batch are retried.', '失败表可交由整改，更正后在“清单”中上传。清单内且在本批次失败的单据将重试。'], noList: ['There is no list yet', '还没有清单'], toLists: ['To the lists', '前往清单'], list: ['List', '清单'], show: ['Show documents', '查看单据'], retry: ['Retry', '重试'], none: ['Nothing is failed', '没有失败'], noneHelp: ['What fails is gathered here by its cause.', '失败的单据将按原因归组于此。'], batch: ['Batch', '批次'],
});

export const operations = texts({
  title: ['Operations', '批量操作'], kind: ['Kind', '类型'], status: ['Status', '状态'], progress: ['Progress', '进度'], selected: ['Selected', '选定'], done: ['Done', '完成'], changed: ['Had changed', '已变化'], refused: ['Refused', '被拒绝'], failed: ['Failed', '失败'],
  reason: ['Reason', '原因'], by: ['By', '操作人'], at: ['Asked for', '发起时间'], none: ['No bulk operation yet', '还没有批量操作'], noneHelp: ['A retry of what failed becomes one, and keeps what became of each document.', '批量重试会成为一个操作，并保留每一单的结果。'], batch: ['Batch', '批次'], left: ['{n} left', '剩余 {n}'],
});

export const verifications = texts({
  title: ['Verification', '完整性校验'], findings: ['Findings', '发现的问题'], noFindings: ['Nothing is amiss', '没有问题'], noFindingsHelp: ['What was looked at is byte for byte as it was stored.', '已核验的内容与存入时逐字节一致。'], fault: ['Fault', '问题'], document: ['Document', '单据'], file: ['File', '文件'], object: ['Object', '对象'], detail: ['Detail', '说明'],
  sample: ['Sample', '抽样'], sampleOf: ['{what} of the documents, seed {seed}', '单据的 {what}，种子 {seed}'], unhashed: ['Files without a hash of the source', '来源未给摘要的文件'],
  status: ['Status', '状态'], documents: ['Documents', '单据'], intact: ['Intact', '完好'], missing: ['Missing', '缺失'], changed: ['Changed', '已变'], unverifiable: ['Unverifiable', '无法核验'], extra: ['With extra objects', '有多余对象'], bytes: ['Read', '已读取'],
  by: ['By', '操作人'], at: ['Asked for', '发起时间'], reason: ['Reason', '原因'], none: ['Not verified yet', '尚未校验'], noneHelp: ['A verification reads the archive again and compares every byte with what was stored.', '完整性校验会重新读取归档并逐字节比对。'], cancel: ['Cancel', '取消'], retry: ['Look at the flawed again', '复查有问题的'],
  cancelSay: ['{n} documents have had no turn yet.', '还有 {n} 单未核验。'], retrySay: ['One document that was not intact is looked at again. If it is failed, retry it first: until it has arrived again it stays as it was found.|{n} documents that were not intact are looked at again. Retry those that are failed first: until they have arrived again they stay as they were found.', '将复查不完好的 {n} 单。其中失败的请先重试，重新到达之前仍按原结果计。'], cancelled: ['The verification is cancelled', '校验已取消'], retried: ['They are looked at again', '正在复查'],
});

export const report = texts({
  judged: ['Judged', '已校验'], wouldFail: ['Would fail', '将失败'], bytes: ['Bytes', '字节'], rules: ['By rule', '按规则'], categories: ['By category', '按分类'], organizations: ['By organisation', '按组织'], types: ['By document type', '按单据类型'], rule: ['Rule', '规则'], severity: ['Severity', '级别'],
  documents: ['Documents', '单据'], files: ['Files', '文件'], value: ['Value', '值'], csv: ['Report as CSV', '导出报告（CSV）'], failed: ['Failing', '不通过'], none: ['No rule was broken', '没有违反规则'],
});

export const match = texts({
  entries: ['Entries', '清单条目'], matched: ['Matched', '已匹配'], notFound: ['Not at the source', '来源没有'], unlisted: ['Not in the list', '清单之外'], looked: ['Looked for', '已查找'], notEnded: ['The source is still being listed: entries may yet be found.', '来源仍在读取，条目可能还会匹配。'],
  which: ['Show', '显示'], number: ['Entry', '条目'], image: ['Image number', '影像编号'], bill: ['Bill number', '单据编号'], slice: ['Slice', '分段'], csv: ['As CSV', '导出 CSV'], nothing: ['Nothing here', '没有内容'], begins: ['Begins with', '编号开头'],
});

export const changes = texts({
  since: ['Since', '自'], until: ['Until', '至'], from: ['Before', '之前'], to: ['After', '之后'], documents: ['Documents', '单据'], none: ['No document changed its status in this time', '该时段没有单据变更状态'], pick: ['Choose since when', '请选择起始时间'], pickHelp: ['Each point of the past can be shown as it was.', '可还原过去任一时刻的状态。'],
  new: ['not there', '不存在'], image: ['Image number', '影像编号'], at: ['Changed', '变更时间'], why: ['Failure', '失败原因'], created: ['From its creation', '自创建起'], hour: ['The last hour', '最近 1 小时'], day: ['The last 24 hours', '最近 24 小时'],
});
