// The pages of the console, by the things that there are to be shown.

// thingsOf an installation, asked by the page of somebody who may see them; of
// what there is none of, its page is left out.
export async function thingsOf(batch) {
  const items = async (url) => {
    const response = await fetch(url);
    return response.ok ? (await response.json()).items : [];
  };
  const who = await (await fetch('/v1/session')).json();
  const whole = !who.organizations; // else these are closed
  const [[document], [operation], [verification], [preflight], [list], [approval], [webhook], matched] = await Promise.all([
    items(`/v1/batches/${batch}/documents?status=migrated&limit=1`), items(`/v1/batches/${batch}/operations`), items(whole ? '/v1/verifications?limit=1' : `/v1/verifications?batch=${batch}`), items('/v1/batches?mode=preflight&limit=1'),
    ...(whole ? [items('/v1/lists?limit=1'), items('/v1/approvals?limit=1'), items('/v1/webhooks')] : [[], [], []]), whole ? items('/v1/batches?limit=200') : [],
  ]);
  const under = (path, thing, id = 'id') => thing && `${path}/${encodeURIComponent(thing[id])}`;
  return {
    batch: `/batches/${batch}`, document: under(`/batches/${batch}/documents`, document), operation: under('/operations', operation), verification: under('/verifications', verification),
    preflight: under('/batches', preflight, 'number'), list: under('/lists', list), approval: under('/approvals', approval), webhook: under('/webhooks', webhook), matched: under('/batches', matched.find((b) => b.scope.list), 'number'),
  };
}

export const pages = (things) => Object.fromEntries(Object.entries({
  overview: '/', batches: '/batches', 'batch-new': '/batches/new', batch: [things.batch], slices: [things.batch, '/slices'], 'batch-failures': [things.batch, '/failures'], 'batch-operations': [things.batch, '/operations'],
  verifications: [things.batch, '/verifications'], changes: [things.batch, '/changes?from=created'], report: [things.preflight, '/report'], match: [things.matched, '/match'],
  document: [things.document], history: [things.document, '?tab=history'], explain: [things.document, '?tab=explain'], verification: [things.verification],
  coverage: '/coverage', failures: '/failures', skips: '/skips', operations: '/operations', operation: [things.operation], approvals: '/approvals', approval: [things.approval],
  sources: '/sources', source: '/sources/standard-imaging', 'source-form': '/sources/standard-imaging/edit', profiles: '/profiles', rule: '/profiles?rule=R08', profile: '/profiles/flagship', 'profile-form': '/profiles/flagship/edit',
  lists: '/lists', list: [things.list], webhooks: '/webhooks', webhook: [things.webhook], 'webhook-form': [things.webhook, '/edit'], tokens: '/tokens', audit: '/audit', projections: '/projections', 'no-such-page': '/no-such-page',
}).flatMap(([name, path]) => (typeof path === 'string' ? [[name, path]] : path[0] ? [[name, path.join('')]] : [])));
