import { Time } from './time';

const instant = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d/;

// Tree shows data of any shape as nested lists.
export function Tree({ of }: { of: unknown }) {
  if (of === null || of === undefined || of === '') return <span class="faint">–</span>;
  if (Array.isArray(of)) return <ol class="tree">{of.map((v, i) => <li key={i}><Tree of={v} /></li>)}</ol>;
  if (typeof of === 'object') return <dl class="tree">{Object.entries(of).map(([k, v]) => <div key={k}><dt>{k}</dt><dd><Tree of={v} /></dd></div>)}</dl>;
  if (typeof of === 'string' && instant.test(of)) return <Time at={of} />;
  return <code class="break">{String(of)}</code>;
}
