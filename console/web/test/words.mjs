// What the story looks for on the pages. They are written here once more, so
// that a text that is lost or in the other language is found.
export const words = {
  en: {
    token: 'Token', signIn: 'Sign in', overview: 'Overview', from: 'From', to: 'To', migrate: 'Migrate', succeeded: 'Succeeded', exceptions: 'Succeeded with exceptions', failed: 'Failed',
    failures: 'Failures', showDocuments: 'Show documents', skip: 'Skip for now', reason: 'Reason', reviewOn: 'Review on', retryFailed: 'Retry what failed', showOperation: 'Show the operation', completed: 'Completed',
    exportFailures: 'Failures as XLSX', exportAudit: 'Export as CSV',
  },
  zh: {
    token: '令牌', signIn: '登录', overview: '概览', from: '起', to: '止', migrate: '迁移', succeeded: '成功', exceptions: '成功（有例外）', failed: '失败',
    failures: '失败分组', showDocuments: '查看单据', skip: '暂不迁移', reason: '原因', reviewOn: '复核日期', retryFailed: '批量重试', showOperation: '查看操作', completed: '已完成',
    exportFailures: '导出失败（XLSX）', exportAudit: '导出为 CSV',
  },
};
