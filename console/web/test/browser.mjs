// A browser that notes whatever the console must not do: an error on its
// console, what its policy forbids, a request to another host, and findings of
// axe that are serious.
import { readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { chromium } from 'playwright-core';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
export const patience = 180_000; // twice what the tests around it have: the browser takes its part of the machine

export class Watched {
  faults = [];
  shots = 0;
  audited = 0;

  constructor(server, folder) {
    this.server = new URL(server);
    this.folder = folder;
  }

  async open() {
    await mkdir(this.folder, { recursive: true });
    this.browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox', '--disable-dev-shm-usage'] });
  }

  close = () => this.browser.close();

  // context of a reader: a language, a theme of the system, a width.
  async reader({ language, theme = 'light', width = 1440, height = 900 }) {
    const context = await this.browser.newContext({ locale: language === 'zh' ? 'zh-CN' : 'en-GB', colorScheme: theme, viewport: { width, height }, acceptDownloads: true, reducedMotion: 'reduce' });
    context.setDefaultTimeout(patience);
    const page = await context.newPage();
    page.on('console', (m) => m.type() === 'error' && this.forgiven !== page && this.fault(page, m.text()));
    page.on('pageerror', (e) => this.fault(page, e.stack));
    page.on('request', (r) => {
      const url = new URL(r.url());
      if (/^(https?|wss?):$/.test(url.protocol) && url.host !== this.server.host) this.fault(page, `asks ${url.host}`);
    });
    return page;
  }

  fault(page, what) {
    this.faults.push(`${page.url()}: ${what}`);
  }

  // refused lets a request of a page be refused, which the browser notes as an
  // error.
  async refused(page, what) {
    this.forgiven = page;
    await what();
    this.forgiven = undefined;
  }

  // show a page as a link to it would, until it is there.
  async show(page, path) {
    await page.evaluate((path) => new Promise((shown) => {
      history.pushState(null, '', path);
      dispatchEvent(new PopStateEvent('popstate'));
      scrollTo(0, 0);
      requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(shown, 50)));
    }), path);
    await page.locator('main h1').waitFor();
    await this.settled(page);
  }

  // settled: nothing is being loaded.
  async settled(page) {
    await page.waitForFunction(() => !document.querySelector('main .skeleton, [aria-busy="true"]'));
    await page.evaluate(() => document.fonts.ready);
  }

  async shot(page, name) {
    await page.screenshot({ path: `${this.folder}/${name}.png` });
    this.shots++;
  }

  async audit(page, name) {
    // Through the protocol, which the page's policy does not bind.
    await page.evaluate(axe);
    const found = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ['violations'] }));
    this.audited++;
    for (const v of found.violations) {
      if (v.impact === 'serious' || v.impact === 'critical') this.fault(page, `axe on ${name}: ${v.id}: ${v.nodes.slice(0, 3).map((n) => n.html.slice(0, 160) + ' ' + n.failureSummary).join(' | ')}`);
    }
  }
}

export function must(holds, what) {
  if (!holds) throw new Error(what);
}
