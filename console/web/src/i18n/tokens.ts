import { texts } from './texts';

export const tokens = texts({
  title: ['Tokens', '令牌'], issue: ['Issue a token', '签发令牌'], id: ['Id', '标识'], subject: ['Subject', '使用者'], roles: ['Roles', '角色'], organizations: ['Organisations', '组织'], allOrganizations: ['all', '全部'], status: ['Status', '状态'], created: ['Issued', '签发时间'], expires: ['Expires', '到期时间'], never: ['never', '永不'], revoke: ['Revoke', '撤销'],
  valid: ['Valid', '有效'], expired: ['Expired', '已过期'], revoked: ['Revoked', '已撤销'], empty: ['No token yet', '还没有令牌'], say: ['Whoever has the secret acts in the subject’s name. It is shown once, when the token is issued, and is kept nowhere.', '持有密钥者以该使用者身份操作。密钥仅在签发时显示一次，不会保存。'], subjectHelp: ['As the audit log will have it; an id rather than a name', '将记入审计日志，宜用编号而非姓名'], organizationsHelp: ['Codes, between commas: it sees and touches their documents alone. Empty: all', '编码，逗号分隔，仅可见与操作这些组织的单据。留空：全部'], expiresHelp: ['The end of that day. Empty: never', '当日结束时到期。留空：永不'],
  secretOf: ['The secret of {what}', '{what} 的密钥'], once: ['It is shown this once. Copy it now, and give it to nobody but {what}.', '仅显示这一次。请立即复制，只交给 {what}。'], secret: ['Secret', '密钥'], kept: ['I have kept it', '已保存'], revokeSay: ['Token {id} of {what} opens nothing from a second from now on. Sessions that began with it end too. This cannot be taken back.', '{what} 的令牌 {id} 一秒内失效，以其登录的会话一并结束。此操作不可撤销。'], own: ['You may be signed in with it.', '您可能正以此令牌登录。'], didRevoke: ['The token is revoked', '令牌已撤销'], noRole: ['Choose a role at least', '请至少选择一个角色'], which: ['Show', '显示'],
});

export const roleHelp: Record<string, readonly [string, string]> = {
  reader: ['sees batches and documents', '查看批次与单据'], operator: ['migrates, retries, skips, decides approvals', '迁移、重试、标记、审批'], auditor: ['sees and exports the audit log', '查看并导出审计日志'], admin: ['all, with sources, profiles and tokens', '全部权限，含数据源、配置与令牌'],
};
