// The console of those who may less: every page opens for them or says why not,
// no request that a page makes is refused, and nothing is offered that they may
// not do.
import { must } from './browser.mjs';
import { pages, thingsOf } from './pages.mjs';
import { Person } from './person.mjs';

const changing = /^(New |Create|Retry|Skip|Recall|Pause|Resume|Cancel|Verify|Edit|Enable|Disable|Check|Rebuild|Roll back|Upload|Issue|Revoke|Approve|Reject|Withdraw|Send|Remove|Except|Rehearse|List again|Accept|Acknowledge|Migrate|Save|Look at|Try again)/;

// everyPage opens, and says what it offers that would change something.
async function everyPage(person, things, names = Object.keys(pages(things))) {
  const offered = new Set();
  for (const name of names.filter((n) => pages(things)[n])) {
    await person.open(pages(things)[name]);
    if ((await person.page.locator('main .problem').count()) > 0) person.watched.fault(person.page, `${name}: ${await person.page.locator('main .problem').first().innerText()}`);
    for (const text of await person.page.locator('main :is(button, a.button)').allInnerTexts()) if (changing.test(text)) offered.add(text.trim());
  }
  return [...offered].sort();
}

export async function reduced(watched, { server, secrets, sent, source, number }) {
  const enter = (who) => Person.enter(watched, server, secrets[who], sent);
  const rita = await enter('rita');
  const things = await rita.page.evaluate(thingsOf, number);
  const looks = async (person, names) => {
    const offered = await everyPage(person, things, names);
    must(offered.length === 0, `a reader and an auditor are offered: ${offered}`);
  };
  await Promise.all([
    looks(rita), looks(await enter('audrey'), ['overview', 'document', 'history', 'explain', 'audit', 'tokens']), // what an auditor sees beside a reader
    confined(await enter('olga'), source, number),
  ]);
}

// confined to an organisation, somebody sees and does to its documents what
// others do to all.
async function confined(olga, source, number) {
  await olga.open(`/batches/${number}`);
  must((await olga.button('Verify').count()) === 0, 'what concerns others too is not offered');
  await olga.open('/batches/new');
  must((await olga.page.locator('[name="organizations"]').inputValue()) === 'ORG-001', 'her own organisation is there already');
  await olga.fill({ source, from: '2024-01-01', to: '2024-01-31' });
  await olga.button('Migrate').click();
  await olga.status('Succeeded', 'Succeeded with exceptions', 'Failed');
  const own = olga.page.url().split('/').pop();
  await olga.confirm('Verify', { reason: 'to see that it works' }, 'The verification goes on by itself');
  const offered = await everyPage(olga, await olga.page.evaluate(thingsOf, own));
  const others = offered.filter((o) => /Source|profile|webhook|Edit|Enable|Disable|Check|Rebuild|Upload|Issue|Revoke|Approve/.test(o));
  must(others.length === 0, `somebody of one organisation is offered: ${others}`);
}
