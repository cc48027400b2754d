// How fast a batch goes, as seen here: figures of the last minute, from which
// the time that is left is told.
import type { Batch } from '../api/types';

const window = 60_000;
const least = 4_000;

interface Sample {
  at: number;
  settled: number;
}

const samples = new Map<string, Sample[]>();

const settledOf = (b: Batch) => b.documents.total - b.documents.pending;

// watch takes what a batch stands at.
export function watch(b: Batch, now = Date.now()) {
  const known = samples.get(b.number) ?? [];
  const settled = settledOf(b);
  const newest = known.at(-1);
  if (newest && settled < newest.settled) known.length = 0; // it was reopened
  known.push({ at: now, settled });
  samples.set(b.number, known.filter((s) => now - s.at <= window));
}

// rateOf a batch in documents a second; undefined while it is not known.
export function rateOf(b: Batch): number | undefined {
  const known = samples.get(b.number);
  if (!known || known.length < 2) return undefined;
  const [first, last] = [known[0], known[known.length - 1]];
  if (last.at - first.at < least || last.settled === first.settled) return undefined;
  return ((last.settled - first.settled) * 1000) / (last.at - first.at);
}

// wholeOf is how many documents it will have: what the source said, while it is listed.
export const wholeOf = (b: Batch) => (b.finishedAt ? b.documents.total : Math.max(b.documents.total, b.listings.sourceTotal));

export function secondsLeft(b: Batch): number | undefined {
  const rate = rateOf(b);
  return rate === undefined ? undefined : (wholeOf(b) - settledOf(b)) / rate;
}
