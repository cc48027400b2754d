import { texts } from './texts';

export const overview = texts({
  title: ['Overview', '概览'], running: ['Running', '进行中'], nothingRuns: ['Nothing is running.', '没有进行中的批次。'], nothingRunsHelp: ['The newest batches are below.', '最近的批次见下。'], recent: ['Newest batches', '最近批次'],
  throughput: ['Throughput', '吞吐量'], perMinute: ['Documents a minute', '每分钟单据'], perHour: ['Documents an hour', '每小时单据'], noThroughput: ['Nothing arrived in this time', '该时段没有单据'],
  lastHour: ['1 hour', '1 小时'], lastDay: ['24 hours', '24 小时'], lastWeek: ['7 days', '7 天'],
  failures: ['Failures by category', '失败分类'], noFailures: ['Nothing is failed', '没有失败'], all: ['All', '全部'], documents: ['Documents', '单据'], files: ['Files', '文件'], listed: ['listed', '已列出'],
  migrated: ['Documents migrated', '已迁移单据'], failed: ['Failed', '失败'], pending: ['Pending', '待处理'], skipsDue: ['Skips due', '到期待复核'], skipped: ['{n} skipped in all', '共暂不迁移 {n} 个文件'],
  approvals: ['Approvals waiting', '待审批'], batchesFailed: ['Batches with failures', '有失败的批次'], ofTotal: ['of {n}', '共 {n}'], welcome: ['Nothing was migrated yet', '尚未迁移'],
  welcomeHelp: ['Check that a source answers, then let a preflight tell what would pass before the first migration.', '先检查数据源能否应答，再用迁移前校验了解可通过的数量，然后开始首次迁移。'], first: ['Create the first batch', '新建首个批次'],
});
