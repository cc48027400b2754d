import { texts } from './texts';

export const common = texts({
  again: ['Try again', '重试'], back: ['Back', '返回'], cancel: ['Close', '关闭'], more: ['Details', '详情'], reason: ['Reason', '原因'],
  reasonHelp: ['Kept in the audit log', '将记入审计日志'], required: ['required', '必填'],
  first: ['First page', '首页'], previous: ['Previous', '上一页'], next: ['Next', '下一页'], page: ['Page {n}', '第 {n} 页'],
  rows: ['one row|{n} rows', '{n} 行'], loading: ['Loading', '加载中'], all: ['All', '全部'], none: ['None', '无'], yes: ['Yes', '是'], no: ['No', '否'],
  filters: ['Filters', '筛选'], clear: ['Clear filters', '清除筛选'], save: ['Save', '保存'], edit: ['Edit', '编辑'], create: ['Create', '新建'], remove: ['Remove', '移除'],
  whatToDo: ['What to do', '处理办法'], requestId: ['Request', '请求号'], problem: ['Something went wrong', '出错了'], notFoundTitle: ['There is no such page', '没有此页面'],
  notFound: ['The address may be mistyped, or what it named is gone.', '地址可能有误，或所指内容已不存在。'], toOverview: ['To the overview', '返回概览'],
  forbidden: ['You may not see this', '无权查看'], forbiddenHelp: ['Your roles do not include what this page needs. An administrator can give you another token.', '您的角色没有此页面所需的权限，可请管理员另发令牌。'],
  forbiddenWhole: ['It tells of the documents of all organisations, and you see those of {what}. Somebody who sees all of them can tell you more.', '此页面涉及全部组织的单据，而您仅可见 {what}。请向可见全部组织的人员了解。'],
  copy: ['Copy', '复制'], copied: ['Copied', '已复制'], download: ['Download', '下载'], open: ['Open', '打开'], total: ['Total', '合计'], nothing: ['Nothing here', '没有内容'],
  nothingFiltered: ['Nothing fits these filters', '没有符合筛选条件的内容'], search: ['Search', '搜索'], sort: ['Sort by {what}', '按{what}排序'], optional: ['optional', '可选'],
  unreachable: ['Waybill cannot be reached', '无法连接 Waybill'], unreachableDetail: ['The network is down, or the service is restarting.', '网络中断，或服务正在重启。'],
  s401: ['You are not signed in', '未登录'], s403: ['You may not do this', '无权执行'], s404: ['It does not exist', '不存在'], s409: ['It has changed meanwhile', '状态已变化'], s412: ['Somebody else changed it meanwhile', '已被他人修改'],
  stale: ['What you entered is kept. Look at what is there now; saving again puts yours in its place.', '您填写的内容仍保留。请先查看当前内容；再次保存将以您的内容取代。'], staleShow: ['Show what is there now', '查看当前内容'],
  s413: ['Too large', '内容过大'], s422: ['An input does not fit', '输入有误'], s429: ['Too many requests', '请求过于频繁'], s503: ['Not available at the moment', '暂时不可用'], s500: ['An error of Waybill’s own', 'Waybill 内部错误'],
  goOn: ['Continue', '继续'], will: ['What it will do', '将执行'], actions: ['Actions', '操作'],
  unchanged: ['It was so already', '原本如此，无变化'], accepted: ['Done', '已完成'],
});

export const shell = texts({
  overview: ['Overview', '概览'], batches: ['Batches', '批次'], coverage: ['Coverage', '覆盖图'], operations: ['Operations', '批量操作'], failures: ['Failures', '失败分组'], skips: ['Skips', '暂不迁移'],
  sources: ['Sources', '数据源'], profiles: ['Profiles & rules', '目标方案与规则'], lists: ['Lists', '清单'], audit: ['Audit log', '审计日志'], approvals: ['Approvals', '审批'],
  projections: ['Projections', '视图'], webhooks: ['Webhooks', '回调通知'], tokens: ['Tokens', '令牌'], verifications: ['Verifications', '完整性校验'],
  migrate: ['Migrate', '迁移'], review: ['Review', '处理'], setUp: ['Set up', '配置'], prove: ['Prove', '凭证'], run: ['Run', '运行'],
  menu: ['Menu', '菜单'], skipToContent: ['Skip to the content', '跳到正文'], language: ['中文', 'English'], languageHelp: ['用中文显示', 'Show in English'],
  theme: ['Theme', '主题'], themeSystem: ['As the system', '跟随系统'], themeLight: ['Light', '浅色'], themeDark: ['Dark', '深色'], signOut: ['Sign out', '退出登录'], apiDocs: ['API', '接口文档'],
  live: ['Live', '实时'], polling: ['Every 5 s', '每 5 秒'], connecting: ['Connecting', '连接中'],
  liveHelp: ['What you see follows events as they happen', '页面随事件实时更新'], pollingHelp: ['Live events do not get through; figures are read every 5 seconds', '实时事件不可用，每 5 秒读取一次'],
  signIn: ['Sign in', '登录'], token: ['Token', '令牌'], tokenHelp: ['An administrator issues it: waybill token create', '由管理员签发：waybill token create'],
  signInHelp: ['Document image migration, and the proof of it', '影像迁移与留痕'], tokenWrong: ['This token is unknown, revoked or expired.', '令牌无效、已撤销或已过期。'], show: ['Show', '显示'], hide: ['Hide', '隐藏'],
  noSession: ['This installation does not offer sessions for browsers.', '此安装不支持浏览器会话。'], restricted: ['Organisations: {what}', '组织：{what}'],
});
