import { texts, wordIn } from './texts';

export const sources = texts({
  title: ['Sources', '数据源'], create: ['New source', '新增数据源'], name: ['Name', '名称'], id: ['Id', '标识'], status: ['Status', '启用状态'], kind: ['System', '来源系统'], tokenUrl: ['Token request URL', '令牌请求地址'], dataUrl: ['Data request URL', '数据请求地址'],
  profile: ['Target profile', '目标方案'], pace: ['Limits', '速度限制'], changed: ['Changed', '变更时间'], by: ['By', '操作人'], empty: ['No source yet', '还没有数据源'], emptyHelp: ['A source is a system that documents are migrated from: where it is, and as whom it is read.', '数据源是影像迁出的系统：其地址与访问身份。'],
  batches: ['Its batches', '相关批次'], newBatch: ['New batch', '新建批次'], settings: ['Settings', '设置'], connection: ['Connection', '连接'], reading: ['Reading', '读取方式'], limits: ['Limits', '速度限制'], network: ['Network', '网络'],
  clientId: ['Client id', '客户端标识'], secretRef: ['Reference to the secret', '密钥引用'], signAlgorithm: ['Signature', '签名算法'], timestampUnit: ['Timestamp', '时间戳单位'], hashAlgorithm: ['File hash', '文件摘要算法'], timeZone: ['Time zone', '时区'], pageSize: ['Items a page', '每页条数'],
  concurrency: ['Requests at once', '并发请求数'], requestsPerSecond: ['Requests a second', '每秒请求数'], bytesPerSecond: ['Bytes a second', '每秒字节数'], allowedNetworks: ['Private networks allowed', '允许的内网网段'], authorities: ['Certificate authorities', '受信任的证书颁发机构'], windows: ['Windows of the week', '时段限制'],
  unlimited: ['no limit', '不限'], ownAuthorities: ['{n} bytes of PEM', '{n} 字节 PEM'], noUrl: ['not set', '未设置'], paceOf: ['{n} at once', '并发 {n}'], perSecond: ['{n}/s', '{n} 次/秒'], registered: ['Created', '创建时间'], milliseconds: ['Milliseconds', '毫秒'], seconds: ['Seconds', '秒'], none: ['none', '无'],
});

export const sourceForm = texts({
  idHelp: ['Lower-case letters, digits and hyphens. It stays for good', '小写字母、数字与连字符，建立后不可更改'], kindHelp: ['Other systems need an adapter of their own', '其他系统需要专用适配器'], secretHelp: ['env:NAME or file:/path, with encrypted: in front when it is encrypted there. Never the secret itself', 'env:NAME 或 file:/路径；密文加前缀 encrypted:。不可填写密钥本身'],
  urlHelp: ['Needed to enable the source', '启用前必填'], networksHelp: ['As 10.1.0.0/16, one a line. Public addresses are always allowed', '如 10.1.0.0/16，每行一个。公网地址始终允许'], authoritiesHelp: ['Certificates in PEM, trusted beside the system’s', 'PEM 证书，在系统证书之外另行信任'], timeZoneHelp: ['In which a scope’s dates are days', '迁移范围的日期按此时区计算'],
  zeroHelp: ['Empty: no limit', '留空：不限'], concurrencyHelp: ['1 to 1000; 64 if left empty', '1–1000，留空为 64'], pageSizeHelp: ['1 to 1000; 100 if left empty', '1–1000，留空为 100'], disabled: ['Begin disabled', '先禁用'], windowsHelp: ['Parts of the week in which other limits hold, such as working hours. Where two overlap, the first holds.', '一周内适用其他限制的时段，如工作时间。重叠时以先列者为准。'],
  addWindow: ['Add a window', '添加时段'], removeWindow: ['Remove this window', '移除此时段'], days: ['Days on which it begins', '开始于'], from: ['From', '起'], to: ['To', '止'], closed: ['No request is begun', '不发起请求'], times: ['As 08:30; 24:00 is the day’s end', '如 08:30；24:00 为当日结束'], window: ['Window {n}', '时段 {n}'],
  willCreate: ['The source is kept under its id, which stays for good.', '按标识保存数据源，标识不可更改。'], willSecret: ['The secret stays where it is: Waybill keeps the reference alone.', '密钥保留在原处，系统只保存引用。'], willEnable: ['Unless it begins disabled, batches can be made of it at once.', '若不先禁用，即可用于新建批次。'],
  willChange: ['All settings are replaced by those here; what is empty gets its default.', '全部设置以此处为准，留空者取默认值。'], willLimits: ['Batches under way go on with the new settings; limits hold within a second.', '进行中的批次改用新设置，速度限制一秒内生效。'], made: ['Source {what} was created', '数据源 {what} 已创建'], saved: ['Source {what} was changed', '数据源 {what} 已更改'],
});

export const sourceActions = texts({
  enable: ['Enable', '启用'], disable: ['Disable', '禁用'], check: ['Check the connection', '测试连接'], enableSay: ['Batches can be made of {what} again, and those that hold go on.', '{what} 可再用于新建批次，挂起的批次将继续。'], disableSay: ['No batch can be made of {what}, and no new request goes to it from now on. What is under way is finished.', '{what} 不再用于新建批次，并立即停止发起新请求。进行中的请求会完成。'],
  running: ['One batch is in progress and will hold.|{n} batches are in progress and will hold.', '{n} 个进行中的批次将挂起。'], held: ['One batch holds and will go on.|{n} batches hold and will go on.', '{n} 个挂起的批次将继续。'], noneRunning: ['None of its batches is in progress.', '没有进行中的批次。'], noneHeld: ['None of its batches holds.', '没有挂起的批次。'],
  enabled: ['{what} is enabled', '{what} 已启用'], disabled: ['{what} is disabled', '{what} 已禁用'], checkSay: ['A token and one page of the period are asked for. Nothing is changed, and nothing that the source answers is kept.', '请求一次令牌并读取该时段的一页。不做任何更改，不保留来源返回的内容。'], checkFrom: ['From', '起'], checkTo: ['To', '止'], checkHelp: ['A month at most. Empty: the last 30 days', '最长一个月。留空：最近 30 天'],
});

export const check = texts({
  title: ['Check of the connection', '连接测试'], works: ['The source can be read', '可以读取该数据源'], fails: ['The source cannot be read', '无法读取该数据源'], again: ['Check again', '再次测试'], of: ['Of {what}', '{what}'], token: ['token URL', '令牌地址'], data: ['data URL', '数据地址'], notReached: ['What comes after a failure is not tried.', '失败之后的步骤未再尝试。'], at: ['Checked', '测试时间'],
});

export const stepWord = wordIn({
  dns: ['Name', '域名'], connect: ['Connection', '连接'], tls: ['Encryption', '加密'], secret: ['Secret', '密钥'], credentials: ['Sign-in', '认证'], clock: ['Clock', '时钟'], page: ['List', '清单'], fields: ['Fields', '字段'],
});

export const pace = texts({
  title: ['Pace now', '当前速度'], process: ['Process', '进程'], concurrency: ['At once at most', '当前并发上限'], requests: ['Under way', '进行中'], waiting: ['Waiting', '等待'], rest: ['Left alone', '暂停访问'], until: ['until', '至'], seen: ['Seen', '更新时间'], none: ['No process reads this source now', '当前没有进程读取此数据源'],
});

export const dayWord = wordIn({ mon: ['Mon', '周一'], tue: ['Tue', '周二'], wed: ['Wed', '周三'], thu: ['Thu', '周四'], fri: ['Fri', '周五'], sat: ['Sat', '周六'], sun: ['Sun', '周日'] });

export const kindOfSource = wordIn({ 'standard-imaging': ['Standard-edition imaging', '标准版影像'] });

// What the codes of a check mean, and what to do. The English is the API's own.
export const checkZh: Record<string, readonly [detail: string, remedy: string]> = {
  'url-missing': ['数据源没有可用的地址', '请填写数据源的地址。'],
  'name-known': ['域名可以解析', ''],
  'name-unknown': ['此处无法解析该域名', '请更正地址，或在本机所用的 DNS 中登记该域名。'],
  connected: ['主机可以连接', ''],
  'connect-refused': ['主机在该端口拒绝连接', '请检查地址的主机与端口、服务是否运行，以及途经的防火墙。'],
  'connect-timeout': ['主机没有应答', '请检查地址的主机与端口，以及途经的防火墙。'],
  'address-refused': ['主机地址属于内网，而数据源设置未允许该网段', '若数据源确在该处，请将网段加入“允许的内网网段”。'],
  'tls-verified': ['连接已加密，证书属于该主机', ''],
  'tls-absent': ['连接未加密：途经者可读取令牌与单据', '若服务支持，请改用 https。'],
  'certificate-unknown': ['主机证书的颁发机构不受本机或数据源信任', '请将颁发机构的证书加入数据源的“受信任的证书颁发机构”，或安装到本机。'],
  'certificate-name-wrong': ['主机证书的名称与地址不符', '请使用证书中的名称，或为该名称签发证书。'],
  'certificate-expired': ['主机证书已过期或尚未生效', '请续期证书，并核对时钟。'],
  'certificate-invalid': ['主机证书不能用于服务器', '请另行签发证书。'],
  'tls-failed': ['未能建立加密连接', '请检查该端口是否支持 TLS 1.2 或更高版本，或地址是否应以 http 开头。'],
  'secret-found': ['在引用处找到密钥', ''],
  'secret-missing': ['本进程无法使用该密钥', '请将密钥放到引用所指的位置，提供接口与执行迁移的进程都需能读取。'],
  'credentials-taken': ['来源已发放令牌', ''],
  'credentials-refused': ['来源不接受该客户端标识与签名', '请检查客户端标识、密钥、签名算法与时间戳单位，以及来源是否允许此客户端。'],
  'clock-agrees': ['来源时钟与本机一致', ''],
  'clock-unknown': ['来源未给出时间', '若签名被拒绝，请核对双方时钟。'],
  'clock-skewed': ['来源时钟与本机相差一分钟以上', '请用 NTP 校准双方时钟：签名含时间。'],
  'answer-invalid': ['应答不是约定的 JSON', '请确认地址属于该服务本身，没有代理或登录页代为应答。'],
  'answer-timeout': ['应答超时', '请向来源管理员确认服务是否正常。'],
  'answer-broken-off': ['应答未完整时连接中断', '请重试；若仍如此，请联系来源管理员。'],
  redirected: ['来源以重定向应答，系统不跟随', '若重定向目标是该服务本身，请改填该地址。'],
  throttled: ['来源当前限流', '请稍后重试；若仍如此，请降低并发与每秒请求数。'],
  'source-broken': ['来源返回自身故障', '请向来源管理员确认服务是否正常。'],
  'http-refused': ['来源以 HTTP 状态拒绝请求', '请检查地址的路径。'],
  'page-refused': ['来源以自身代码拒绝列出清单', '请向来源管理员确认此客户端可否读取这些组织。'],
  'total-missing': ['清单缺少 totalElement', '请确认数据地址是清单接口。'],
  'page-empty': ['该时段来源没有单据，无法检查字段', '请换一个有单据的时段。'],
  'page-listed': ['来源可以列出单据', ''],
  'item-invalid': ['清单条目不符合约定：某字段类型不同', '请将来源应答与约定比对，适配器的映射可能需要调整。'],
  'fields-mapped': ['条目含有全部所需字段', ''],
  'fields-missing': ['条目缺少所需字段', '请将来源字段名与约定比对，适配器的映射可能需要调整。'],
};
