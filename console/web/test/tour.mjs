// Every page once more: a screenshot each, in the other theme and on a phone
// too, and axe on each in both themes.
const pages = (batch, document, operation) => ({
  overview: '/', batches: '/batches', 'batch-new': '/batches/new', batch: `/batches/${batch}`, slices: `/batches/${batch}/slices`, 'batch-failures': `/batches/${batch}/failures`,
  'batch-operations': `/batches/${batch}/operations`, verifications: `/batches/${batch}/verifications`, changes: `/batches/${batch}/changes?from=created`,
  document, history: `${document}?tab=history`, explain: `${document}?tab=explain`, coverage: '/coverage', failures: '/failures', skips: '/skips', operations: '/operations', operation,
  sources: '/sources', source: '/sources/standard-imaging', profiles: '/profiles', lists: '/lists', audit: '/audit', approvals: '/approvals', projections: '/projections', webhooks: '/webhooks', tokens: '/tokens',
  'no-such-page': '/no-such-page',
});

// show a page as a link to it would, and let it begin.
const show = (path) => new Promise((shown) => {
  history.pushState(null, '', path);
  dispatchEvent(new PopStateEvent('popstate'));
  scrollTo(0, 0);
  requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(shown, 50)));
});

export async function tour(watched, { server, language, batch, state }) {
  const looks = language === 'en'
    ? [{ name: 'en-light', theme: 'light' }, { name: 'en-light-phone', theme: 'light', width: 390, height: 844 }]
    : [{ name: 'zh-dark', theme: 'dark' }, { name: 'zh-dark-phone', theme: 'dark', width: 390, height: 844 }];
  for (const look of looks) {
    const page = await watched.reader({ language, ...look });
    await page.context().addCookies(state.cookies);
    await page.addInitScript(() => localStorage.setItem('waybill.session', 'begun'));
    await page.goto(server);
    const [document, operation] = await page.evaluate(async (batch) => {
      const { items } = await (await fetch(`/v1/batches/${batch}/documents?status=migrated&limit=1`)).json();
      const { items: operations } = await (await fetch(`/v1/batches/${batch}/operations`)).json();
      return [`/batches/${batch}/documents/${encodeURIComponent(items[0].id)}`, `/operations/${operations[0].id}`];
    }, batch);
    for (const [name, path] of Object.entries(pages(batch, document, operation))) {
      await page.evaluate(show, path);
      await page.locator('main h1').waitFor();
      await watched.settled(page);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      if (wide > 0) watched.fault(page, `${name} is ${wide} pixels wider than the window`);
      await watched.shot(page, `${name}-${look.name}`);
      if (!look.width) await watched.audit(page, name);
    }
    await page.context().close();
  }
}
