// The story of an operator in a language, in a real browser: from logging in to
// an export. Prints what was found as JSON.
//   node story.mjs LANGUAGE, with WAYBILL_SERVER, WAYBILL_TOKEN, SCREENSHOTS
import { stat } from 'node:fs/promises';
import { must, Watched } from './browser.mjs';
import { tour } from './tour.mjs';
import { words } from './words.mjs';

const language = process.argv[2];
const { WAYBILL_SERVER: server, WAYBILL_TOKEN: token, SCREENSHOTS: folder } = process.env;
const say = words[language];

const watched = new Watched(server, folder);
await watched.open();
const page = await watched.reader({ language });
const button = (name) => page.getByRole('button', { name, exact: true });
const link = (name) => page.getByRole('link', { name, exact: true });
const inDialog = (name) => page.getByRole('dialog').getByRole('button', { name, exact: true });

async function login() {
  await page.goto(server);
  must((await page.locator('html').getAttribute('lang')) === (language === 'zh' ? 'zh-CN' : 'en'), 'the language is the browser’s');
  await watched.shot(page, `login-${language}`);
  await watched.audit(page, 'login');
  await page.getByLabel(say.token, { exact: true }).fill('wb_none');
  await watched.refused(page, async () => {
    await button(say.signIn).click();
    await page.getByRole('alert').waitFor();
  });
  await page.getByLabel(say.token, { exact: true }).fill(token);
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { level: 1, name: say.overview }).waitFor();
}

// create a batch by keyboard and mouse, as somebody new would.
async function create() {
  await page.locator(`a[href="/batches/new"]`).first().click();
  await page.getByLabel(say.from, { exact: true }).fill('2024-01-01');
  await page.getByLabel(say.to, { exact: true }).fill('2024-02-29');
  await watched.settled(page);
  await watched.shot(page, `batch-new-${language}`);
  await page.evaluate(() => { // from here on nothing is loaded again
    globalThis.loadedOnce = true;
    globalThis.seen = new Set();
    const look = () => {
      const figures = document.querySelector('.closure .equation');
      if (figures) globalThis.seen.add(figures.textContent);
    };
    new MutationObserver(look).observe(document.body, { subtree: true, childList: true, characterData: true });
  });
  await button(say.migrate).click();
  await page.waitForURL(/\/batches\/B/);
  return new URL(page.url()).pathname.split('/')[2];
}

// watch it without loading anything again: its figures come by themselves.
async function watch() {
  await page.locator('.live.live').waitFor();
  await page.locator('header.page .status', { hasText: new RegExp(`^(${say.succeeded}|${say.exceptions}|${say.failed})$`) }).first().waitFor();
  const { loadedOnce, seen } = await page.evaluate(() => ({ loadedOnce: globalThis.loadedOnce, seen: globalThis.seen?.size }));
  must(loadedOnce, 'the page was loaded again');
  return seen;
}

async function drill() {
  await page.getByRole('link', { name: new RegExp(`^${say.failures}`) }).last().click();
  await watched.settled(page);
  await watched.shot(page, `failures-of-batch-${language}`);
  await link(say.showDocuments).first().click();
  await page.waitForURL(/fingerprint=/);
  await page.reload();
  await watched.settled(page);
  must((await page.locator('table.data tbody tr').count()) > 0, 'the filter in the URL holds after a reload');
  await page.locator('table.data tbody a').first().click();
  await page.waitForURL(/\/documents\//);
  await watched.settled(page);
}

// preview of a file that arrived, of a document of which everything did.
async function preview(number) {
  for (const [kind, selector] of [['image', '.preview img'], ['pdf', '.preview iframe']]) {
    const id = await documentWith(number, kind);
    await page.goto(`${server}/batches/${number}/documents/${encodeURIComponent(id.document)}`);
    await page.locator('.file', { hasText: id.name }).click();
    await page.locator(selector).waitFor();
    if (kind === 'image') await page.waitForFunction(() => document.querySelector('.preview img').naturalWidth > 100);
    else await page.waitForFunction(() => document.querySelector('.preview iframe').contentWindow !== null);
    await page.waitForLoadState('load');
    await watched.shot(page, `preview-${kind}-${language}`);
  }
}

// documentWith a file of a kind in the archive, by the API that the page uses.
const documentWith = (number, kind) => page.evaluate(async ([number, kind]) => {
  const { items } = await (await fetch(`/v1/batches/${number}/documents?status=migrated&limit=100`)).json();
  for (const { id } of items) {
    const { fileList } = await (await fetch(`/v1/batches/${number}/documents/${encodeURIComponent(id)}`)).json();
    const file = fileList.find((f) => f.status === 'migrated' && (kind === 'pdf' ? f.type === 'pdf' : ['png', 'jpg'].includes(f.type)));
    if (file) return { document: id, name: file.name };
  }
  throw new Error('no document has a file of the kind ' + kind);
}, [number, kind]);

async function skip() {
  await button(say.skip).click();
  await page.getByRole('dialog').getByLabel(say.reason, { exact: true }).fill('the scan is being made again');
  await page.getByRole('dialog').getByLabel(new RegExp(`^${say.reviewOn}`)).fill('2024-12-31');
  await watched.shot(page, `skip-${language}`);
  await watched.audit(page, 'skip');
  await inDialog(say.skip).click();
  await page.locator('.file .status.warn').waitFor();
}

async function retry(number) {
  await page.goto(`${server}/batches/${number}`);
  await button(say.retryFailed).click();
  await page.getByRole('dialog').locator('.count').getByText(/\d/).waitFor();
  await page.getByRole('dialog').getByLabel(say.reason, { exact: true }).fill('tried once more');
  await watched.shot(page, `retry-${language}`);
  await inDialog(say.retryFailed).click();
  await link(say.showOperation).click();
  await page.locator('header.page .status', { hasText: say.completed }).waitFor();
  await page.locator('table.data tbody tr:not(.loading)').first().waitFor(); // the items are read after the operation
  await watched.settled(page);
  const done = await page.locator('table.data tbody tr').count();
  must(done > 0, 'what became of each document is listed');
  return done;
}

async function download(name, open) {
  await page.goto(server + open);
  await watched.settled(page);
  const [file] = await Promise.all([page.waitForEvent('download'), link(name).first().click()]);
  const { size } = await stat(await file.path());
  must(size > 500, `${file.suggestedFilename()} has ${size} bytes`);
  return { name: file.suggestedFilename(), size };
}

const found = {};
try {
  await login();
  await watched.settled(page);
  await watched.shot(page, `welcome-${language}`);
  found.batch = await create();
  found.changesSeen = await watch();
  await drill();
  await skip();
  await preview(found.batch);
  found.retried = await retry(found.batch);
  found.exported = [
    await download(say.exportFailures, `/batches/${found.batch}/failures`),
    await download(say.exportAudit, `/audit?batch=${found.batch}`),
  ];
  await tour(watched, { server, token, language, batch: found.batch, state: await page.context().storageState() });
} catch (error) {
  watched.fault(page, error.stack);
  await watched.shot(page, `broken-${language}`).catch(() => {});
}
await watched.close();
console.log(JSON.stringify({ ...found, faults: watched.faults, shots: watched.shots, audited: watched.audited }));
