// Every action of the console, clicked once: in English, by people of several
// roles. Prints what was found as JSON, with those requests of the API that
// change something and that nobody's click made.
//   node actions.mjs, with WAYBILL_SERVER, WAYBILL_TOKEN, SCREENSHOTS, STAGE, ARCHIVE
import { readFileSync } from 'node:fs';
import { rename, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { must, Watched } from './browser.mjs';
import { Person } from './person.mjs';
import { reduced } from './roles.mjs';

const { WAYBILL_SERVER: server, WAYBILL_TOKEN: token, SCREENSHOTS: folder, STAGE: stage, ARCHIVE: archive } = process.env;
const because = { reason: 'to see that it works' };
const source = 'warehouse';

const watched = new Watched(server, folder);
const sent = [];
let alice; // an administrator
let bob; // an operator

// behind has the test do what nobody does by the console, such as a fault.
async function behind(what) {
  const response = await fetch(`${stage}/${what}`, { method: 'POST' });
  must(response.ok, `${what}: ${await response.text()}`);
}

// people get their tokens: each is shown once.
async function tokens() {
  await alice.open('/tokens');
  const secrets = {};
  for (const [subject, role, organizations] of [['bob', 'operator'], ['rita', 'reader'], ['audrey', 'auditor'], ['olga', 'operator', 'ORG-001'], ['eve', 'reader']]) {
    await alice.confirm('Issue a token', { subject, [`role:${role}`]: true, ...(organizations && { organizations }) });
    if (subject === 'bob') await watched.shot(alice.page, 'token-issued-en');
    secrets[subject] = await alice.page.locator('.secret input').inputValue();
    await alice.button('I have kept it').click();
  }
  await alice.confirm(alice.row(/^eve/).getByRole('button', { name: 'Revoke' }), {}, 'The token is revoked');
  await alice.row(/^eve/).getByText('Revoked').waitFor();
  return secrets;
}

// stale changes what a form shows while it is open: saving is refused, keeps
// what was entered, and then puts it in the place of what is there.
async function stale(alice, url, elsewhere, save, field, value) {
  const now = await alice.api('GET', url);
  await alice.fill({ [field]: value });
  await alice.api('PUT', url, elsewhere(now), { 'If-Match': '*' });
  await watched.refused(alice.page, async () => {
    await alice.button(save).click();
    await alice.see('What you entered is kept');
  });
  must((await alice.page.locator(`[name="${field}"]`).inputValue()) === value, 'what was entered is kept');
}

async function sources() {
  const preset = await alice.api('GET', '/v1/sources/standard-imaging');
  await alice.open('/sources/new');
  await alice.save('Create', {
    id: source, name: 'Warehouse', tokenUrl: preset.tokenUrl, dataUrl: preset.dataUrl, clientId: preset.clientId, secretRef: preset.secretRef, allowedNetworks: '127.0.0.0/8',
  }, 'Source Warehouse was created');
  await alice.confirm('Check the connection', { from: '2024-01-01', to: '2024-01-31' });
  await alice.see('The source can be read');
  await watched.shot(alice.page, 'source-checked-en');
  await alice.confirm('Disable', because, 'Warehouse is disabled');
  await alice.confirm('Enable', because, 'Warehouse is enabled');
  await alice.link('Edit').click();
  await alice.page.locator('[name="tokenUrl"]').waitFor();
  await stale(alice, `/v1/sources/${source}`, settingsOfSource({ name: 'Elsewhere' }), 'Save', 'name', 'Warehouse of old scans');
  await watched.shot(alice.page, 'stale-en');
  await alice.save('Save', {}, 'Source Warehouse of old scans was changed');
}

const settingsOfSource = (changes) => (now) => ({
  ...Object.fromEntries(['name', 'kind', 'tokenUrl', 'dataUrl', 'clientId', 'secretRef', 'profile', 'signAlgorithm', 'timestampUnit', 'hashAlgorithm', 'timeZone', 'allowedNetworks'].map((k) => [k, now[k]])), ...changes,
});

async function profiles(alice) {
  await alice.open('/profiles/new');
  await alice.save('Create', { ...because, name: 'scans', minDpi: '150' }, 'Profile scans was created');
  await alice.link('Edit').click();
  await alice.page.locator('[name="minDpi"]').waitFor();
  const settings = ({ types, toleratedTypes, warnBytes, maxBytes, target }) => ({ ...because, types, toleratedTypes, warnBytes, maxBytes, target, minDpi: 300 });
  await alice.fill(because);
  await stale(alice, '/v1/profiles/scans', settings, 'Save', 'minDpi', '120');
  await alice.save('Save', {}, 'Profile scans was changed');
  await alice.see('120 dpi');
}

// webhooks to a receiver that refuses until it is told otherwise.
async function webhooks(alice) {
  const answer = { status: 500 };
  const receiver = createServer((request, response) => request.resume().on('end', () => response.writeHead(answer.status).end())).listen(0, '127.0.0.1');
  await new Promise((listening) => receiver.once('listening', listening));
  try {
    await webhooksTo(receiver, answer, alice);
  } finally {
    receiver.close(); // else this process would not end
    receiver.closeAllConnections();
  }
}

async function webhooksTo(receiver, answer, alice) {
  await alice.open('/webhooks/new');
  const settings = { url: `http://127.0.0.1:${receiver.address().port}/`, secretRefs: 'env:WAYBILL_TEST_HOOK', allowedNetworks: '127.0.0.0/8' };
  await alice.save('Create', { id: 'erp', ...settings, types: 'waybill.webhook.tested' }, 'Webhook erp was created');
  await alice.confirm('Send a test', because, 'The test is on its way');
  await alice.row('500').waitFor();
  await behind('fail-deliveries');
  await alice.row('Failed').waitFor();
  answer.status = 204;
  await alice.confirm(alice.row('Failed').getByRole('button', { name: 'Try again' }), because, 'It is sent again');
  await alice.row('Delivered').waitFor();
  await alice.row('Delivered').getByRole('button', { name: 'Details' }).click();
  await watched.shot(alice.page, 'delivery-en');
  await alice.page.keyboard.press('Escape');
  await alice.confirm('Disable', because, 'erp is disabled');
  await alice.confirm('Enable', because, 'erp is enabled');
  await alice.link('Edit').click();
  await alice.page.locator('[name="url"]').waitFor();
  await alice.save('Save', { description: 'Tells the ERP' }, 'Webhook erp was changed');
  const { position } = await alice.api('POST', '/v1/webhooks', { id: 'old', url: settings.url, secretRefs: [settings.secretRefs], types: ['waybill.webhook.tested'], allowedNetworks: [settings.allowedNetworks] });
  await alice.api('GET', `/v1/webhooks/old?after=${position}`); // the page does not wait for what others made
  await alice.open('/webhooks/old');
  await alice.confirm('Remove', because, 'old is removed');
}

// batch made by the form; gives its number.
async function batch(button, fields) {
  await alice.open('/batches/new');
  await alice.fill({ source, ...fields });
  await alice.button(button).click();
  await alice.page.waitForURL(/\/batches\/B/);
  return alice.page.url().split('/').pop();
}

const scope = { from: '2024-01-01', to: '2024-02-29' };
const ended = ['Succeeded', 'Succeeded with exceptions', 'Failed'];

async function preflight() {
  const number = await batch('Preflight', { mode: 'preflight', ...scope });
  await alice.status(...ended);
  await alice.open(`/batches/${number}/report`);
  await alice.see('Would fail');
  await alice.confirm('Migrate this scope', {}, /Batch B\S+ was created/);
  await alice.page.waitForURL((url) => !url.pathname.includes(number));
  await alice.status(...ended);
  return alice.page.url().split('/').pop();
}

async function slices(number) {
  await alice.open(`/batches/${number}/slices`);
  const short = () => alice.page.locator('tr', { has: alice.page.getByRole('button', { name: 'Accept shortfall' }) }).first();
  await alice.confirm(short().getByRole('button', { name: 'List again' }), because, 'The slice is listed again');
  await alice.until(`/v1/batches/${number}/slices`, ({ items }) => items.some((s) => s.shortfall > 0 && s.status === 'completed'));
  await alice.confirm(short().getByRole('button', { name: 'Accept shortfall' }), because, 'The shortfall is accepted');
  await alice.see('1 accepted');
}

async function documents(number) {
  await alice.open(`/batches/${number}/documents?status=failed&code=type-unsupported`);
  await alice.page.locator('table.data tbody a').first().click();
  await alice.page.waitForURL(/\/documents\//);
  const url = '/v1' + new URL(alice.page.url()).pathname;
  await alice.ask('Rehearse', {});
  await alice.dialog.getByText('It would fail').waitFor();
  await watched.shot(alice.page, 'rehearsal-en');
  await alice.page.keyboard.press('Escape');
  await alice.confirm('Retry', because, 'The retry is under way');
  await alice.until(url, (d) => d.status === 'failed');
  await alice.confirm('Except', { ...because, evidence: 'protocol 12' }, 'The document is excepted');
  await alice.confirm('Revoke the exception', because, 'The exception is revoked');
  await alice.confirm('Skip for now', because, 'The file is skipped for now');
  await alice.confirm('Recall', because, 'The file is recalled');
  await alice.until(url, (d) => d.status === 'failed');
}

// completed: the operation that was begun last has ended.
async function completed() {
  await alice.page.getByRole('link', { name: 'Show the operation' }).last().click();
  await alice.page.waitForURL(/\/operations\//);
  await alice.status('Completed');
}

async function skips(number) {
  await alice.open(`/failures?batch=${number}`);
  const group = alice.page.locator('.groups > li', { hasText: 'type-unsupported' });
  await alice.confirm(group.getByRole('button', { name: 'Skip for now' }), { ...because, owner: 'olga' }, 'It goes on by itself');
  await completed();
  await alice.followed('leftovers', 'documents');
  await alice.open(`/skips?batch=${number}`);
  await alice.page.getByLabel('Choose all on this page').check();
  await alice.confirm(alice.page.getByRole('button', { name: /^Recall chosen/ }), because, 'It goes on by itself');
  await completed();
  await alice.followed('batches'); // else it may be shown as ended before it goes on
  await alice.open(`/batches/${number}`);
  await alice.status(...ended);
}

// correction: the sheet of failures comes back as a list, and what stands in it
// is retried, slowly enough to be paused and cancelled.
async function correction(number) {
  await alice.open(`/batches/${number}/failures`);
  const [sheet] = await Promise.all([alice.page.waitForEvent('download'), alice.link('Failures as XLSX').click()]);
  const path = join(folder, 'corrected.xlsx');
  await sheet.saveAs(path);
  await alice.open('/lists');
  await alice.button('Upload a list').click();
  await alice.dialog.locator('input[type="file"]').setInputFiles(path);
  await alice.fill({ kind: 'imageNumber', name: 'corrected' }, alice.dialog);
  await alice.dialog.locator('button[type="submit"]').click();
  await alice.page.waitForURL(/\/lists\/./);
  await alice.see('Came again');
  const list = alice.page.url().split('/').pop();
  await alice.link('New batch of this list').click();
  await alice.page.waitForURL(/\/batches\/new/);
  await alice.fill({ source });
  await alice.button('Migrate').click();
  await alice.page.waitForURL(/\/batches\/B/);
  await alice.link('Match with list').click();
  await alice.see('Matched');
  await alice.status(...ended);

  await alice.open(`/batches/${number}/failures`);
  await alice.ask('Retry by list', { list });
  await alice.dialog.locator('.count').getByText(/\d/).waitFor();
  await alice.go({ ...because, pace: '1' });
  await alice.page.getByRole('link', { name: 'Show the operation' }).last().click();
  await alice.confirm('Pause', because, 'The operation is paused');
  await alice.confirm('Resume', because, 'The operation goes on');
  await alice.confirm('Cancel', because, 'The operation is cancelled');
  await alice.status('Cancelled');
  await alice.open(`/batches/${number}`);
  await alice.status(...ended);
}

// A file in the archive is damaged, and comes from the source again.
async function verification(number) {
  await alice.open(`/batches/${number}/verifications`);
  const { items } = await alice.api('GET', `/v1/batches/${number}/documents?status=migrated&limit=1`);
  const { fileList } = await alice.api('GET', `/v1/batches/${number}/documents/${encodeURIComponent(items[0].id)}`);
  const path = join(archive, fileList[0].arrival.stored.key);
  await writeFile(path, 'damaged');
  await alice.confirm('Verify', because, 'The verification goes on by itself');
  const flawed = alice.page.locator('tr', { hasText: 'Completed' }).first();
  await flawed.locator('a').click();
  await alice.row('Changed').waitFor();
  const verified = '/v1' + new URL(alice.page.url()).pathname;
  await alice.followed('batches', 'documents', 'leftovers');
  await alice.open(`/batches/${number}/failures`);
  const group = alice.page.locator('.groups > li', { hasText: 'archive-object-lost' });
  await alice.confirm(group.getByRole('button', { name: 'Retry' }), because, 'It goes on by itself');
  await completed();
  await alice.open(`/batches/${number}/verifications`);
  await alice.confirm(alice.page.getByRole('button', { name: 'Look at the flawed again' }), because, 'They are looked at again');
  await alice.until(verified, (v) => v.status === 'completed');

  // Without its marker the archive counts as not mounted: a verification waits.
  const marker = join(archive, '.waybill-archive');
  await rename(marker, `${marker}.away`);
  await alice.confirm('Verify', because, 'The verification goes on by itself');
  await alice.confirm(alice.row('Running').getByRole('button', { name: 'Cancel' }), because, 'The verification is cancelled');
  await rename(`${marker}.away`, marker);
}

async function empty() {
  await batch('Migrate', { from: '2020-01-01', to: '2020-01-31' });
  await alice.confirm('Acknowledge', because, 'Acknowledged');
}

// A batch that the source serves slowly is paused, and cancelled by two.
async function fourEyes() {
  const url = `/v1/sources/${source}`;
  await alice.api('PUT', url, settingsOfSource({ requestsPerSecond: 0.05 })(await alice.api('GET', url)), { 'If-Match': '*' });
  const number = await batch('Migrate', { from: '2023-01-01', to: '2024-02-29' });
  await alice.confirm('Pause', because, /is paused/);
  await alice.confirm('Resume', because, /goes on/);
  const approval = async () => {
    await alice.open(`/batches/${number}`);
    await alice.confirm('Cancel the batch', because, 'The cancellation waits for a second operator');
    await alice.page.getByRole('link', { name: 'Show the approval' }).last().click();
    await alice.page.waitForURL(/\/approvals\//);
    await alice.see('another operator decides'); // before another opens it, whose page does not wait for what she did
    return new URL(alice.page.url()).pathname;
  };
  await approval();
  await watched.shot(alice.page, 'approval-own-en');
  await alice.confirm('Withdraw', because, 'Withdrawn');
  await bob.open(await approval());
  await bob.confirm('Reject', because, 'Rejected');
  await bob.open(await approval());
  await bob.confirm('Approve', because, 'Approved, and done');
  await bob.status('Approved');
  await alice.open(`/batches/${number}`);
  await alice.status('Cancelled', 'Failed');
  await alice.api('PUT', url, settingsOfSource({})(await alice.api('GET', url)), { 'If-Match': '*' });
}

async function projections(alice) {
  await alice.open('/projections');
  await behind('stop-view');
  await alice.api('POST', '/v1/lists?kind=imageNumber&name=full', 'imageNumber\nIMG-1\n', { 'Content-Type': 'text/csv' });
  await alice.see('Lists has stopped');
  await watched.shot(alice.page, 'view-stopped-en');
  await behind('mend-view');
  await alice.confirm('Resume', {}, 'Lists tries again');
  await alice.page.getByText('Lists has stopped').waitFor({ state: 'hidden' });
  await alice.row('Lists lists').getByText('up to date').waitFor();

  const rebuild = (fields) => alice.confirm(alice.row('Lists lists').getByRole('button', { name: 'Rebuild' }), { ...because, ...fields }, 'The rebuild goes on by itself');
  const over = () => alice.until('/v1/projections/rebuilds', ({ items }) => items.every((r) => r.endedAt));
  await behind('alter-view');
  await rebuild({});
  await alice.row('one row differs').getByRole('button', { name: 'Details' }).click();
  await alice.dialog.getByText('As the history says').first().waitFor();
  await watched.shot(alice.page, 'rebuild-differs-en');
  await alice.confirm(alice.dialog.getByRole('button', { name: 'Rebuild, and take the history' }), because, 'The rebuild goes on by itself');
  await over();
  await rebuild({});
  await over();
  await alice.row('equal').waitFor();
  await alice.confirm(alice.row('Lists lists').getByRole('button', { name: 'Roll back' }), because, 'The rollback goes on by itself');
  await over();

  await behind('hold-view');
  await rebuild({});
  await alice.confirm(alice.row('Running').getByRole('button', { name: 'Cancel' }), {}, 'The rebuild is cancelled');
  await alice.row('Cancelled').waitFor();
  await behind('release-view');
}

async function signOut() {
  await alice.page.getByRole('button', { name: 'Sign out' }).click();
  await alice.page.getByLabel('Token', { exact: true }).waitFor();
}

// untried are requests that change something and that were never answered. The
// console retries by operations, which keep what became of each document.
const elsewhere = ['POST /v1/batches/{number}/retry'];

function untried() {
  const { paths } = JSON.parse(readFileSync(new URL('../../../contract/openapi.json', import.meta.url)));
  return Object.entries(paths).flatMap(([path, operations]) => {
    const shape = new RegExp(`^${path.replace(/\{\w+\}/g, '[^/]+')}$`);
    return ['POST', 'PUT', 'DELETE'].filter((m) => operations[m.toLowerCase()] && !sent.some((s) => s.startsWith(m + ' ') && shape.test(s.slice(m.length + 1)))).map((m) => `${m} ${path}`);
  }).filter((o) => !elsewhere.includes(o));
}

await watched.open();

// step tells how long it took: the whole is to stay short.
async function step(what, ...given) {
  const begun = Date.now();
  const result = await what(...given);
  console.error(`${what.name}: ${Date.now() - begun} ms`);
  return result;
}

// batches from their preflight to the list that comes back.
async function batches() {
  const number = await step(preflight);
  for (const what of [slices, documents, skips, correction]) await step(what, number);
  return number;
}

try {
  alice = await Person.enter(watched, server, token, sent);
  const aside = await Person.enter(watched, server, token, sent); // another window of hers
  const secrets = await step(tokens);
  bob = await Person.enter(watched, server, secrets.bob, sent);
  await step(sources);
  const [number] = await Promise.all([batches(), step(profiles, aside).then(() => step(webhooks, aside))]);
  await Promise.all([step(verification, number), step(projections, aside)]);
  for (const what of [empty, fourEyes]) await step(what); // whose forms show lists, of which projections stops the view
  await step(reduced, watched, { server, secrets, sent, source, number });
  await step(signOut);
} catch (error) {
  watched.fault(alice.page, [error.stack, ...await alice.page.locator('.problem').allInnerTexts().catch(() => [])].join('\n'));
  await watched.shot(alice.page, 'broken-actions').catch(() => {});
}
await watched.close();
console.log(JSON.stringify({ faults: watched.faults, untried: untried() }));
