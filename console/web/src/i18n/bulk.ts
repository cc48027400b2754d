import { texts } from './texts';

export const bulk = texts({
  retry: ['Retry what failed', '批量重试'], retrySay: ['Documents that are failed now are read from the source again. Files that arrived intact are not fetched again.', '对当前失败的单据重新读取来源。已完整到达的文件不会重复获取。'], retryCount: ['one document is retried|{n} documents are retried', '将重试 {n} 单'],
  skip: ['Skip for now', '暂不迁移'], skipSay: ['The files by which these documents failed are set aside, and their other files go on.', '将导致失败的文件标记为暂不迁移，其余文件继续。'], skipCount: ['files of one document are skipped|files of {n} documents are skipped', '涉及 {n} 单'],
  recall: ['Recall', '取消暂不迁移'], recallSay: ['Files that were skipped are migrated after all.', '恢复迁移已暂不迁移的文件。'], recallCount: ['files of one document are recalled|files of {n} documents are recalled', '涉及 {n} 单'],
  owner: ['Owner', '负责人'], reviewDate: ['Review on', '复核日期'], pace: ['Documents a second at most', '每秒最多单数'], paceHelp: ['Empty: as fast as can be', '留空：尽快'], begun: ['It goes on by itself', '操作已开始'], show: ['Show the operation', '查看操作'],
  begunIn: ['In {n} batches', '涉及 {n} 个批次'], perBatch: ['One operation is made for each batch.', '每个批次各建一个操作。'], toAll: ['Show operations', '查看操作'],
});

export const operation = texts({
  pause: ['Pause', '暂停'], resume: ['Resume', '继续'], cancel: ['Cancel', '取消'], again: ['Retry what was not done or failed', '重试未完成或失败的'], became: ['What became of it', '最终状态'], left: ['{n} documents have had no turn yet.', '还有 {n} 单未处理。'], leftCancel: ['{n} documents have had no turn yet, and never will. Those that had stay as they are.', '还有 {n} 单未处理，将不再处理；已处理的保持不变。'],
  paused: ['The operation is paused', '操作已暂停'], resumed: ['The operation goes on', '操作已继续'], cancelled: ['The operation is cancelled', '操作已取消'], filter: ['Chosen by', '选择条件'], everything: ['all that failed', '全部失败单据'], named: ['{n} documents by name', '指定 {n} 单'], list: ['List', '清单'], failedOf: ['What was not done in', '来自操作'],
  organizations: ['Within organisations', '限组织'], pace: ['At most', '速度上限'], paceOf: ['{n} documents/s', '{n} 单/秒'], items: ['Documents', '单据'], outcome: ['Outcome', '结果'], detail: ['Why', '原因'], document: ['Document', '单据'], noItems: ['No document has had its turn yet', '还没有处理单据'],
  done: ['Done', '已完成'], changed: ['Had changed', '已变化'], refused: ['Refused', '被拒绝'], failed: ['Failed', '失败'], selected: ['Selected', '选定'], leftName: ['Left', '剩余'], changedAt: ['Changed', '变更时间'],
});

export const skips = texts({
  title: ['Skipped files', '暂不迁移的文件'], due: ['Due for review', '到期待复核'], all: ['All', '全部'], which: ['Show', '显示'], file: ['File', '文件'], document: ['Document', '单据'], batch: ['Batch', '批次'], reason: ['Reason', '原因'], owner: ['Owner', '负责人'], review: ['Review on', '复核日期'], at: ['Skipped', '标记时间'], by: ['By', '操作人'],
  before: ['Review before', '复核早于'], none: ['No file is skipped', '没有暂不迁移的文件'], noneHelp: ['A file that cannot be migrated for now is skipped from its document’s page, with a reason and a review date.', '暂时无法迁移的文件可在单据页标记，并注明原因与复核日期。'], noneDue: ['Nothing is due for review', '没有到期的'], noneDueHelp: ['Skips whose review date has come are listed here.', '复核日期已到的将列于此。'],
  recall: ['Recall', '取消暂不迁移'], recallChosen: ['Recall chosen ({n})', '恢复所选（{n}）'], choose: ['Choose {what}', '选择 {what}'], chooseAll: ['Choose all on this page', '选择本页全部'], dueNow: ['due', '已到期'],
});

export const failuresPage = texts({
  title: ['Failures', '失败分组'], intro: ['Documents that are failed, by cause, over all batches that migrate.', '全部迁移批次中失败的单据，按原因归组。'], batch: ['Batch', '批次'], category: ['Category', '分类'], source: ['Source', '数据源'],
});

export const coverage = texts({
  title: ['Coverage', '覆盖图'], by: ['By', '按'], organization: ['Organisation', '组织'], documentType: ['Document type', '单据类型'], source: ['Source', '数据源'], from: ['From', '起'], to: ['To', '止'], legend: ['Legend', '图例'], row: ['Name', '名称'], none: ['No batch covers this time', '该时段没有批次'],
  noneHelp: ['Choose another time, or create a batch for it.', '请选择其他时段，或新建批次。'], cell: ['{name}, {month}: {state}', '{name}，{month}：{state}'], documents: ['Documents', '单据'], migrated: ['Migrated', '已迁移'], failed: ['Failed', '失败'], batches: ['Batches', '批次'], never: ['No batch has covered this month here.', '没有批次覆盖此月份。'],
  create: ['New batch for this month', '为此月新建批次'], showFailed: ['What failed in {what}', '{what} 的失败单据'], changedHelp: ['A later preflight found documents that are new, or listed otherwise than what is archived.', '之后的迁移前校验发现新单据，或与归档不同的单据。'], cancelled: ['Cancelled', '已取消'], found: ['Found new or changed', '新增或有变化'], pick: ['A cell shows its batches and what remedies it.', '点击单元格查看批次与处理办法。'], pending: ['Pending', '待处理'], skipped: ['Files skipped', '暂不迁移文件'], excepted: ['Excepted', '例外'],
  noKey: ['(none given)', '（未提供）'],
});
