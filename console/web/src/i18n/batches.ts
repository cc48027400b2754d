import { texts } from './texts';

export const batches = texts({
  title: ['Batches', '批次'], create: ['New batch', '新建批次'], number: ['Number', '批次号'], status: ['Status', '状态'], source: ['Source', '数据源'], period: ['Period', '时间范围'],
  scope: ['Scope', '迁移范围'], progress: ['Progress', '进度'], documents: ['Documents', '单据'], migrated: ['Migrated', '已迁移'], failed: ['Failed', '失败'], createdAt: ['Created', '创建时间'], createdBy: ['By', '创建人'],
  finishedAt: ['Finished', '完成时间'], mode: ['Mode', '模式'], phase: ['Phase', '阶段'], profile: ['Profile', '目标方案'], empty: ['No batch yet', '还没有批次'],
  emptyHelp: ['A batch carries the documents of a period from a source to the archive. A preflight judges them first and writes nothing.', '批次将某一时间范围内的单据影像从数据源迁移到归档。迁移前校验只检查、不写入。'],
  remaining: ['about {time} left', '约剩 {time}'], rate: ['{n} documents/s', '{n} 单/秒'], eta: ['Remaining', '预计剩余'], listing: ['Listing: {a} of {n} slices', '清单：{a} / {n} 段'],
  list: ['List', '清单'], preflightOf: ['Run of preflight', '所属迁移前校验'], runs: ['Runs', '迁移批次'], allOrganizations: ['all organisations', '全部组织'], allTypes: ['all document types', '全部单据类型'],
  organizations: ['Organisations', '组织'], documentTypes: ['Document types', '单据类型'], from: ['From', '起'], to: ['To', '止'], noPeriod: ['no period', '不限时间'],
});

export const create = texts({
  title: ['New batch', '新建批次'], what: ['What', '模式'], migrate: ['Migrate', '迁移'], preflight: ['Preflight', '迁移前校验'], where: ['From where', '数据源'], scope: ['Scope', '迁移范围'],
  organizationsHelp: ['Codes, between commas. Empty: all that the source tells', '编码，逗号分隔。留空：来源给出的全部'], organizationsOwn: ['Codes, between commas, of those whose documents you see', '编码，逗号分隔，限您可见的组织'], documentTypesHelp: ['Codes, between commas. Empty: all', '编码，逗号分隔。留空：全部'],
  datesHelp: ['Bill dates, both ends included, in the source’s time zone', '单据日期，含首尾，按数据源时区'], profileHelp: ['The rules, and where documents are filed', '校验规则与归档目标'], profileOf: ['The source’s own ({what})', '数据源默认（{what}）'],
  listHelp: ['Only what stands in an uploaded list is migrated', '仅迁移清单内的单据'], noList: ['No list: all in scope', '不用清单：范围内全部'], disabledSource: ['{what} (disabled)', '{what}（禁用）'],
  will: ['What it will do', '将执行'], willMigrate: ['Read every document of the scope from {source}, judge each file by the profile, and store what passes in the archive.', '从 {source} 读取范围内的全部单据，按目标方案逐个校验文件，通过者存入归档。'],
  willPreflight: ['Read and judge every document of the scope from {source}, and write nothing. The report says what would pass.', '从 {source} 读取并校验范围内的全部单据，不写入任何内容。报告给出可通过的数量。'],
  willMonths: ['Listed in one slice of a month|Listed in {n} slices, a month each', '按月分 {n} 段列清单'], willPer: [', for each organisation', '，按组织分别进行'], willLater: ['Documents that a batch has migrated before are found unchanged and not written again.', '已迁移且未变化的单据不会重复写入。'],
  willList: ['Documents that are not in the list are counted and left where they are.', '清单之外的单据只计数，不迁移。'], made: ['Batch {what} was created', '批次 {what} 已创建'], show: ['Show', '查看'],
  noSources: ['There is no enabled source', '没有启用的数据源'], noSourcesHelp: ['Enable one, or create it, before a batch.', '请先启用或新建数据源。'], toSources: ['To the sources', '前往数据源'], wrongPeriod: ['The period ends before it begins', '结束日期早于开始日期'],
});
