// The words of the domain, in the terms of the product's manual.
import { wordIn } from './texts';

export const statusWord = wordIn({
  'in-progress': ['In progress', '进行中'], succeeded: ['Succeeded', '成功'],
  'succeeded-with-exceptions': ['Succeeded with exceptions', '成功（有例外）'], failed: ['Failed', '失败'],
  pending: ['Pending', '待处理'], migrated: ['Migrated', '已迁移'], passed: ['Would pass', '校验通过'],
  excepted: ['Excepted', '已例外'], cancelled: ['Cancelled', '已取消'], skipped: ['Skipped for now', '暂不迁移'],
  active: ['Active', '运行'], held: ['Held', '挂起'], paused: ['Paused', '已暂停'],
  enabled: ['Enabled', '启用'], disabled: ['Disabled', '禁用'],
  waiting: ['Waiting', '等待'], listing: ['Listing', '清单读取中'], completed: ['Completed', '已完成'],
  running: ['Running', '进行中'], stopped: ['Stopped', '已停止'], interrupted: ['Interrupted', '已中断'], differs: ['Differs', '有差异'],
  delivered: ['Delivered', '已送达'], withdrawn: ['Withdrawn', '已撤回'],
  approved: ['Approved', '已批准'], rejected: ['Rejected', '已驳回'], expired: ['Expired', '已过期'],
  ok: ['In order', '正常'], warning: ['Warning', '警告'],
  never: ['Never batched', '未建批次'], complete: ['Complete', '完整'], exceptions: ['Complete with exceptions', '完整（有例外）'], changed: ['Changed since', '此后有变化'],
  issued: ['Issued', '已签发'], revoked: ['Revoked', '已撤销'], uploaded: ['Uploaded', '已上传'], finished: ['Finished', '已完成'], removed: ['Removed', '已移除'], begun: ['Begun', '已开始'], requested: ['Asked for', '已发起'],
  done: ['Done', '已完成'], refused: ['Refused', '被拒绝'],
});

export const categoryWord = wordIn({
  'missing-field': ['Missing field', '字段缺失'], 'format-mismatch': ['Format mismatch', '格式不符'], integrity: ['Integrity', '完整性'],
  'source-auth': ['Source: sign-in', '来源：认证'], 'source-unavailable': ['Source: unavailable', '来源：不可用'],
  'source-throttled': ['Source: throttled', '来源：限流'], 'source-rejected': ['Source: rejected', '来源：拒绝'],
  'target-rejected': ['Target: rejected', '目标：拒绝'], 'target-unavailable': ['Target: unavailable', '目标：不可用'], internal: ['Internal', '内部错误'],
});

export const categories = ['missing-field', 'format-mismatch', 'integrity', 'source-auth', 'source-unavailable', 'source-throttled',
  'source-rejected', 'target-rejected', 'target-unavailable', 'internal'];

export const classWord = wordIn({ cover: ['Cover', '封面'], invoice: ['Invoice', '发票'], attachment: ['Attachment', '附件'], '': ['Other', '其他'] });

export const stageWord = wordIn({
  list: ['List', '列清单'], fetch: ['Fetch', '获取'], validate: ['Validate', '校验'], store: ['Store', '存储'], verify: ['Verify', '核验'],
});

export const modeWord = wordIn({ migrate: ['Migration', '迁移'], preflight: ['Preflight', '迁移前校验'] });

export const kindWord = wordIn({
  retry: ['Bulk retry', '批量重试'], skip: ['Skip for now', '暂不迁移'], recall: ['Recall', '取消暂不迁移'], 'cancel-batch': ['Cancel a batch', '取消批次'],
  imageNumber: ['Image numbers', '影像编号'], billNumber: ['Bill numbers', '单据编号'],
});

export const severityWord = wordIn({ block: ['Blocks', '拦截'], warn: ['Warns', '警告'], info: ['Info', '提示'], off: ['Off', '关闭'] });

export const roleWord = wordIn({ reader: ['Reader', '查看者'], operator: ['Operator', '操作员'], auditor: ['Auditor', '审计员'], admin: ['Administrator', '管理员'] });
