// Somebody at the console in English: what they see and click, and which
// requests that change something came of it.
import { must, patience } from './browser.mjs';

export class Person {
  static async enter(watched, server, token, sent) {
    const page = await watched.reader({ language: 'en' });
    const person = new Person(watched, page);
    page.on('response', (r) => {
      if (!r.ok() || r.request().method() === 'GET') return;
      sent.push(`${r.request().method()} ${new URL(r.url()).pathname}`);
      person.answer = r.json().catch(() => ({})); // some have no body
    });
    await page.goto(server);
    await page.getByLabel('Token', { exact: true }).fill(token);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { level: 1, name: 'Overview' }).waitFor();
    return person;
  }

  constructor(watched, page) {
    this.watched = watched;
    this.page = page;
    this.dialog = page.getByRole('dialog');
  }

  button = (name) => this.page.getByRole('main').getByRole('button', { name, exact: true }).first();
  link = (name) => this.page.getByRole('main').getByRole('link', { name, exact: true }).first();
  see = (text) => this.page.getByRole('main').getByText(text).first().waitFor();
  status = (...words) => this.page.locator('header.page .status', { hasText: new RegExp(`^(${words.join('|')})$`) }).first().waitFor();
  row = (text) => this.page.locator('table.data tbody tr', { hasText: text }).first();

  async open(path) {
    await this.watched.show(this.page, path);
  }

  // fill the fields of a form or a dialog by their names; true ticks.
  async fill(fields, within = this.page) {
    for (const [name, value] of Object.entries(fields)) {
      const field = within.locator(`[name="${name}"]`);
      const kind = await field.first().evaluate((e) => e.type);
      if (kind === 'checkbox') await field.check();
      else if (kind === 'radio') await within.locator(`[name="${name}"][value="${value}"]`).check({ force: true });
      else if (kind === 'select-one') await field.selectOption(value);
      else await field.fill(value);
    }
  }

  // ask by a button, and go on in the dialog that it opens.
  async ask(button, fields) {
    await (typeof button === 'string' ? this.button(button) : button).click();
    await this.dialog.waitFor();
    await this.go(fields);
  }

  async go(fields) {
    await this.fill(fields, this.dialog);
    await this.dialog.locator('button[type="submit"]:enabled').click();
  }

  // confirm what a button asks, and see what was told.
  async confirm(button, fields, told) {
    await this.ask(button, fields);
    await this.dialog.waitFor({ state: 'hidden' });
    if (told) await this.told(told);
  }

  // until what the last command led to is so.
  async until(url, holds) {
    const { position } = await this.answer;
    await this.comes(position ? `${url}?after=${position}` : url, holds);
  }

  // followed: these views have all that was done, also by workers, whose
  // position nobody is told. A page reads each for itself, and some only once.
  followed = (...views) => this.comes('/v1/projections', ({ items }) => items.every((v) => !views.includes(v.view) || v.lagEvents === 0));

  async comes(url, holds) {
    for (const end = Date.now() + patience; !holds(await this.api('GET', url));) {
      must(Date.now() < end, `${url} does not come to what it should`);
      await new Promise((looked) => setTimeout(looked, 50));
    }
  }

  told = (text) => this.page.locator('.toast', { hasText: text }).last().waitFor();

  // save a page's form and see what it told.
  async save(button, fields, told) {
    await this.fill(fields);
    await this.button(button).click();
    await this.told(told);
    await this.watched.settled(this.page);
  }

  // api asks as the page does.
  async api(method, url, body, headers = {}) {
    const answer = await this.page.evaluate(async ([method, url, body, headers]) => {
      const key = { 'Idempotency-Key': Array.from(crypto.getRandomValues(new Uint8Array(8)), (b) => b.toString(16)).join('') };
      const response = await fetch(url, { method, headers: { 'Content-Type': 'application/json', ...(method === 'GET' ? {} : key), ...headers }, body: typeof body === 'object' ? JSON.stringify(body) : body });
      return { status: response.status, text: await response.text() };
    }, [method, url, body, headers]);
    must(answer.status < 300, `${method} ${url}: ${answer.status} ${answer.text}`);
    return answer.text && JSON.parse(answer.text);
  }
}
