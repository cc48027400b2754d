// The main job through a client that is generated from the API's description
// (contract/openapi.json) and knows nothing else of Waybill:
//
//   openapi-ts --input contract/openapi.json --output api
//   tsc && node main.js migrate SOURCE FROM TO   make a batch, wait, list what failed
//          node main.js retry NUMBER             try what failed again, wait
//
// WAYBILL_SERVER and WAYBILL_TOKEN say where Waybill is, and open it.
import { randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { createBatch, getBatch, getOperation, listDocuments, retryBatch } from './api';
import type { BatchOverview, Document } from './api';
import { client } from './api/client.gen';

client.setConfig({ baseUrl: process.env.WAYBILL_SERVER, auth: process.env.WAYBILL_TOKEN });

// A command that is sent again under its key has no second effect.
const once = () => ({ 'Idempotency-Key': randomUUID() });

// finished waits until there is nothing to do in a batch, or nothing any more
// since the earlier time of that, and what failed is told by its categories too,
// which another view counts. Reads include what the position names.
async function finished(number: string, after?: string, earlier?: string): Promise<BatchOverview> {
  for (;;) {
    const { data: batch } = await getBatch({ path: { number }, query: { after }, throwOnError: true });
    const told = Object.values(batch.failures).reduce((sum, n) => sum + n, 0);
    if (batch.finishedAt && batch.finishedAt !== earlier && told === batch.documents.failed) return batch;
    await setTimeout(100);
  }
}

async function failed(number: string): Promise<Document[]> {
  const all: Document[] = [];
  let cursor: string | undefined;
  do {
    const { data: page } = await listDocuments({ path: { number }, query: { status: 'failed', limit: 5, cursor }, throwOnError: true });
    all.push(...page.items);
    cursor = page.next;
  } while (cursor);
  return all;
}

async function migrate(source: string, from: string, to: string) {
  const { data: made } = await createBatch({ body: { source, scope: { from, to } }, headers: once(), throwOnError: true });
  const batch = await finished(made.number, made.position);
  const documents = await failed(made.number);
  return { batch, failed: documents.map(({ id, failure }) => ({ id, code: failure?.code, remedy: failure?.remedy })) };
}

async function retry(number: string) {
  const { data: before } = await getBatch({ path: { number }, throwOnError: true });
  const { data: accepted } = await retryBatch({ path: { number }, body: { reason: 'the source is back' }, headers: once(), throwOnError: true });
  const batch = await finished(number, accepted.position, before.finishedAt);
  for (;;) {
    const { data: operation } = await getOperation({ path: { id: accepted.operation }, query: { after: accepted.position }, throwOnError: true });
    if (operation.status !== 'running') return { batch, operation };
    await setTimeout(100);
  }
}

async function main([command, ...rest]: string[]) {
  const [first = '', second = '', third = ''] = rest;
  const result = command === 'retry' ? await retry(first) : await migrate(first, second, third);
  console.log(JSON.stringify(result));
}

main(process.argv.slice(2)).catch((problem) => {
  console.error(problem); // as the server said it (RFC 9457)
  process.exitCode = 1;
});
