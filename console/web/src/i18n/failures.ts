// What the codes of failures and findings mean, in Chinese. The API's details
// are English sentences with names and numbers in them, and stay as they were
// recorded; the English console shows these alone.
import { language } from '../base/preferences';

const meaningsZh: Record<string, string> = {
  // of the table of rules
  'image-number-missing': '缺少影像编号', 'listing-conflict': '清单中同一影像编号出现两次且内容不同', 'listing-duplicate': '清单中重复列出', 'field-missing': '缺少必填字段',
  'bill-id-invalid': '单据内码不符合要求', 'image-number-too-long': '影像编号过长', 'file-name-too-long': '文件名过长', 'document-type-unmapped': '单据类型不在目标方案的映射中', 'organization-unmapped': '组织不在目标方案的映射中',
  'type-unsupported': '文件类型不被目标接受', 'type-tolerated': '文件类型仅作容许', 'extension-mismatch': '扩展名与内容不符', 'size-zero': '文件为空', 'size-large': '文件偏大', 'size-excessive': '文件超过系统可读取的上限', 'size-over-limit': '文件超过目标方案的大小上限',
  'resolution-low': '分辨率低于目标方案要求', 'resolution-unknown': '文件未注明分辨率', unreadable: '文件无法读取或已损坏', 'content-excessive': '文件内容超出读取上限', 'encrypted-or-active': '文件已加密或含活动内容',
  'hash-mismatch': '收到的内容与来源摘要不一致', 'hash-absent': '来源未提供摘要，无法比对', 'size-differs': '大小与来源声明不一致', 'read-back-differs': '存入后回读不一致', 'count-mismatch': '收到的文件数与清单不一致', 'files-missing': '来源未列出任何文件',
  'sequence-broken': '页序有缺号或重号', 'cover-missing': '没有封面', 'original-missing': '发票只有版式文件，缺少原件', 'retention-absent': '未注明保管期限', 'retention-unknown': '保管期限不在已知范围',
  // of documents and listings
  'all-files-skipped': '全部文件已标记暂不迁移', 'archive-object-lost': '归档内容已丢失', 'not-found': '来源曾列出此单据，现已查不到', 'outcome-refused': '处理结果未被接受', panic: '工作进程处理时出错',
  'listing-endless': '来源分页没有尽头', 'list-months-failed': '部分月份的清单读取失败，无法判断其余编号',
  // of the source
  'connection-failed': '无法建立连接，或连接中断', timeout: '未在规定时间内应答', 'body-truncated': '应答未完整即中断', redirected: '应答为重定向，系统不跟随', 'address-refused': '地址属于内网，而设置未允许该网段', 'certificate-refused': '证书不受信任',
  'source-code': '来源以自身代码拒绝', 'answer-invalid': '应答不符合约定', 'secret-missing': '无法取得密钥', 'url-invalid': '网址不可用', 'source-closed': '当前处于数据源的停止访问时段',
  // of the archive and the flagship edition
  'archive-error': '归档存储出错', 'scratch-error': '工作进程无法暂存文件', 'target-auth': '目标平台未接受认证', 'target-code': '目标平台以自身代码拒绝', 'file-too-large': '文件超过目标平台的大小上限',
};

// meaningOf a code in Chinese; undefined in English, and of a code that is new.
export function meaningOf(code: string | undefined): string | undefined {
  if (language.value === 'en' || code === undefined) return undefined;
  const status = /^http-(\d+)$/.exec(code);
  return status ? `以 HTTP ${status[1]} 应答` : meaningsZh[code];
}
