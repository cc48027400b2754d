// Throughput over time as columns: what arrived, and what failed on top. An own
// drawing: a chart library is more than the rest of the page.
import { number } from '../base/format';

export interface Step {
  at: string;
  migrated: number;
  failed: number;
}

const width = 720;
const height = 160;
const left = 44;
const bottom = 20;

// A round number at the top, so that the lines have figures one can read.
function roundUp(n: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(n, 1)));
  return [1, 2, 5, 10].map((f) => f * power).find((f) => f >= n) ?? n;
}

export function Columns({ steps, label, names, at }: { steps: Step[]; label: string; names: [string, string]; at: (time: Date) => string }) {
  const top = roundUp(Math.max(4, ...steps.map((s) => s.migrated + s.failed)));
  const y = (n: number) => (height - bottom) * (1 - n / top) + 6 * (n / top);
  const wide = (width - left) / Math.max(steps.length, 1);
  const every = Math.ceil(steps.length / 6);
  return (
    <figure class="chart">
      <svg viewBox={`0 0 ${width} ${height}`} role="img" aria-label={label}>
        {[0, top / 2, top].map((n) => (
          <g key={n}>
            <line x1={left} x2={width} y1={y(n)} y2={y(n)} class="grid" />
            <text x={left - 6} y={y(n) + 3} text-anchor="end">{number(n)}</text>
          </g>
        ))}
        {steps.map((s, i) => {
          const x = left + i * wide + wide * 0.12;
          const w = Math.max(wide * 0.76, 1);
          return (
            <g key={s.at}>
              <title>{`${at(new Date(s.at))}: ${number(s.migrated)} ${names[0]}, ${number(s.failed)} ${names[1]}`}</title>
              <rect x={left + i * wide} y={0} width={wide} height={height - bottom} class="hit" />
              <rect x={x} width={w} y={y(s.migrated)} height={y(0) - y(s.migrated)} class="migrated" />
              <rect x={x} width={w} y={y(s.migrated + s.failed)} height={y(s.migrated) - y(s.migrated + s.failed)} class="failed" />
              {i % every === 0 && <text x={left + i * wide} y={height - 5}>{at(new Date(s.at))}</text>}
            </g>
          );
        })}
      </svg>
      <figcaption><span><i class="dot migrated" />{names[0]}</span><span><i class="dot failed" />{names[1]}</span></figcaption>
    </figure>
  );
}
