// The closure equation as a bar with its figures: what was listed is what
// became of it, bucket by bucket.
import type { DocumentCounts, FileCounts } from '../api/types';
import { number, percent } from '../base/format';
import { statusWord } from '../i18n/words';

const order = ['migrated', 'passed', 'failed', 'skipped', 'excepted', 'cancelled', 'pending'] as const;

type Counts = DocumentCounts | FileCounts;

const bucketsOf = (counts: Counts) => order
  .map((name) => [name, (counts as unknown as Record<string, number>)[name] ?? 0] as const)
  .filter(([, n]) => n > 0);

// Bar alone, for a row of a table. What was not listed yet is left open.
export function Bar({ counts, of, label }: { counts: Counts; of?: number; label: string }) {
  const whole = Math.max(of ?? 0, counts.total, 1);
  const text = `${label}: ` + (bucketsOf(counts).map(([name, n]) => `${statusWord(name)} ${number(n)}`).join(', ') || '0');
  return (
    <div class="bar" role="img" aria-label={text} title={text}>
      {bucketsOf(counts).map(([name, n]) => <i key={name} class={name} style={{ width: `${(100 * n) / whole}%` }} />)}
    </div>
  );
}

export function Closure({ title, listed, counts, of, link }: { title: string; listed: string; counts: Counts; of?: number; link?: (bucket: string) => string | undefined }) {
  const buckets = bucketsOf(counts);
  return (
    <section class="closure" aria-label={title}>
      <h3>{title}</h3>
      <Bar counts={counts} of={of} label={title} />
      <p class="equation">
        <span><b>{number(counts.total)}</b> {listed}</span>
        {buckets.map(([name, n], i) => {
          const to = link?.(name);
          const figure = <><i class={`dot ${name}`} /><b>{number(n)}</b> {statusWord(name)} <span class="faint">{percent(n, counts.total)}</span></>;
          return <>{<em aria-hidden="true">{i === 0 ? '=' : '+'}</em>}{to ? <a key={name} href={to}>{figure}</a> : <span key={name}>{figure}</span>}</>;
        })}
      </p>
    </section>
  );
}
