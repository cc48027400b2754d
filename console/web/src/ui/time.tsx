import { ago, clock, day } from '../base/format';

// Time in the reader's zone; the exact instant is its title.
export function Time({ at, relative, dateOnly }: { at?: string | null; relative?: boolean; dateOnly?: boolean }) {
  if (!at) return <span class="faint">–</span>;
  const t = new Date(at);
  const text = dateOnly ? day(t) : `${day(t)} ${clock(t)}`;
  return <time dateTime={at} title={at} class="nowrap">{relative ? ago(t) : text}</time>;
}
