import { texts, wordIn } from './texts';

export const document = texts({
  image: ['Image number', '影像编号'], resource: ['Resource', '来源系统'], bill: ['Bill number', '单据编号'], billId: ['Id', '标识'], type: ['Document type', '单据类型'], organization: ['Organisation', '组织'], date: ['Bill date', '单据日期'], retention: ['Retention', '保管期限'],
  slice: ['Slice', '清单分段'], discovered: ['Listed', '列出时间'], changed: ['Changed', '变更时间'], attempt: ['Attempts', '尝试次数'], nextAttempt: ['Next attempt', '下次尝试'], manifest: ['Manifest', '归档清单'], result: ['Result', '结果'], reason: ['Reason', '原因'],
  verified: ['Last found intact', '最近核验完好'], filed: ['Filed in', '目标系统'], profile: ['Judged by', '校验依据'], ruleSet: ['{profile} version {v}, rules {r}', '{profile} 版本 {v}，规则集 {r}'],
  failed: ['Why it failed', '失败原因'], file: ['File', '文件'], stage: ['Stage', '环节'], retryable: ['Can be retried as it is', '可直接重试'], notRetryable: ['Needs a correction first', '需先更正'], whatToDo: ['What to do', '处理办法'], sourceTrace: ['Source’s trace', '来源跟踪号'],
  tabFiles: ['Files', '文件'], tabHistory: ['History', '历史'], tabExplain: ['Explain', '因果链'],
  classMissing: ['none', '无'], declared: ['Declared', '声明'], received: ['Received', '收到'], format: ['Format', '格式'], pixels: ['{w} × {h} px', '{w} × {h} 像素'], dpi: ['{n} dpi', '{n} dpi'], pages: ['one page|{n} pages', '{n} 页'],
  sha256: ['SHA-256', 'SHA-256'], hash: ['Source’s hash', '来源摘要'], noHash: ['none: the source gave no hash', '无：来源未提供摘要'], readBack: ['Read back', '回读'], readBackSame: ['equal', '一致'], stored: ['Stored at', '存储位置'],
  rules: ['Rules it did not pass', '未通过的规则'], documentRules: ['Rules of the document', '单据规则'], noRules: ['All rules passed', '全部规则通过'], preview: ['Preview', '预览'], noPreview: ['This type cannot be shown here', '此类型无法预览'], notArrived: ['The file has not arrived in the archive', '文件尚未归档'], download: ['Download', '下载'], openNew: ['Open alone', '单独打开'],
  measured: ['measured {what}', '实测 {what}'], skippedBy: ['Skipped for now: {reason}', '暂不迁移：{reason}'], reviewOn: ['review on {what}', '复核日 {what}'], owner: ['owner {what}', '负责人 {what}'],
  retry: ['Retry', '重试'], retrySay: ['1 document is read from the source again. Files that arrived intact are not fetched again.', '对 1 单重新读取来源。已完整到达的文件不会重复获取。'], retried: ['The retry is under way', '重试已开始'],
  except: ['Except', '标记例外'], exceptSay: ['1 document is recorded as one that can never arrive. It does not count as migrated, and this can be revoked.', '将 1 单记录为无法到达的例外。不计入已迁移，可撤销。'], evidence: ['Evidence', '依据'], evidenceHelp: ['Such as the number of a protocol of destruction', '例如销毁记录编号'], excepted: ['The document is excepted', '已标记例外'],
  revoke: ['Revoke the exception', '撤销例外'], revokeSay: ['1 document is failed again and can be retried.', '该单恢复为失败，可再重试。'], revoked: ['The exception is revoked', '例外已撤销'],
  skip: ['Skip for now', '暂不迁移'], skipSay: ['1 file, {what}, is set aside. The other files of the document go on.', '暂不迁移 1 个文件：{what}。单据其余文件继续。'], skipped: ['The file is skipped for now', '文件已暂不迁移'], reviewDate: ['Review on', '复核日期'], ownerField: ['Owner', '负责人'],
  recall: ['Recall', '取消暂不迁移'], recallSay: ['1 file, {what}, is migrated after all.', '恢复迁移 1 个文件：{what}。'], recalled: ['The file is recalled', '已恢复迁移'],
  rehearse: ['Rehearse', '演练'], rehearseSay: ['1 document is read from the source and judged by today’s rules. Nothing is written.', '按当前规则读取并校验 1 单，不写入任何内容。'], rehearsed: ['What a retry would come to now', '现在重试的预期结果'],
  noHistory: ['Nothing happened yet', '还没有记录'], onBehalf: ['for {what}', '代表 {what}'], approvedBy: ['approved by {what}', '批准人 {what}'], record: ['Record', '原始记录'], version: ['version {n}', '版本 {n}'],
});

export const resultWord = wordIn({ written: ['Written', '新写入'], unchanged: ['Unchanged since it was archived', '与已归档内容相同'], 'new-version': ['A new version beside the one before', '在原版本之外新增版本'] });

export const eventWord = {
  discovered: ['Listed', '已列出'], relisted: ['Listed again', '再次列出'], 'files-listed': ['Files listed', '文件已列出'], judged: ['Judged', '已校验'], 'files-processed': ['Files processed', '文件已处理'],
  migrated: ['Migrated', '已迁移'], failed: ['Failed', '失败'], 'attempt-failed': ['Attempt failed', '尝试失败'], 'retry-requested': ['Retry asked for', '请求重试'], 'file-skipped': ['File skipped for now', '文件暂不迁移'], 'file-recalled': ['File recalled', '文件恢复迁移'],
  excepted: ['Excepted', '标记例外'], 'exception-revoked': ['Exception revoked', '撤销例外'], cancelled: ['Cancelled', '已取消'], verified: ['Found intact', '核验完好'], 'verification-failed': ['Not intact', '核验不完好'],
  created: ['Batch created', '批次已创建'], started: ['Listing began', '开始列清单'], 'page-listed': ['Page listed', '清单页已读取'], requested: ['Asked for', '已发起'], advanced: ['Turn given', '轮到处理'], resumed: ['Resumed', '已继续'], released: ['Released', '已恢复'],
} as const;
