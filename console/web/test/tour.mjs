// Every page once more: a screenshot each, in the other theme and on a phone
// too, and axe on each in both themes.
import { pages, thingsOf } from './pages.mjs';

export async function tour(watched, { server, language, batch, state }) {
  const looks = language === 'en'
    ? [{ name: 'en-light', theme: 'light' }, { name: 'en-light-phone', theme: 'light', width: 390, height: 844 }]
    : [{ name: 'zh-dark', theme: 'dark' }, { name: 'zh-dark-phone', theme: 'dark', width: 390, height: 844 }];
  for (const look of looks) {
    const page = await watched.reader({ language, ...look });
    await page.context().addCookies(state.cookies);
    await page.addInitScript(() => localStorage.setItem('waybill.session', 'begun'));
    await page.goto(server);
    for (const [name, path] of Object.entries(pages(await page.evaluate(thingsOf, batch)))) {
      await watched.show(page, path);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      if (wide > 0) watched.fault(page, `${name} is ${wide} pixels wider than the window`);
      await watched.shot(page, `${name}-${look.name}`);
      if (!look.width) await watched.audit(page, name);
    }
    await page.context().close();
  }
}
