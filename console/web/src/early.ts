// Runs before the first paint, so that a page never flashes in the other theme.
// Storage can be refused to a page (a browser's setting): then the system decides.
try {
  const theme = localStorage.getItem('waybill.theme');
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
} catch {
  delete document.documentElement.dataset.theme;
}
