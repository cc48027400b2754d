// Bulk operations in a table, of one batch or of all.
import type { Operation } from '../api/types';
import { number } from '../base/format';
import { segment } from '../base/place';
import { operations as words } from '../i18n/batch';
import { kindWord } from '../i18n/words';
import { batchPath } from './batch';
import { Status } from './status';
import type { Column } from './table';
import { Time } from './time';

export const operationPath = (id: string) => `/operations/${segment(id)}`;

export function OperationProgress({ of: o }: { of: Operation }) {
  const settled = o.selected - o.left;
  return (
    <div class="progress">
      <div class="bar" role="img" aria-label={`${number(settled)} / ${number(o.selected)}`}>
        <i class="migrated" style={{ width: `${(100 * o.done) / Math.max(o.selected, 1)}%` }} />
        <i class="skipped" style={{ width: `${(100 * o.changed) / Math.max(o.selected, 1)}%` }} />
        <i class="failed" style={{ width: `${(100 * (settled - o.done - o.changed)) / Math.max(o.selected, 1)}%` }} />
      </div>
      <span class="faint small">{number(settled)} / {number(o.selected)}</span>
    </div>
  );
}

export const operationColumns = (all: boolean): Column<Operation>[] => [
  { key: 'kind', head: words.kind(), cell: (o) => <a href={operationPath(o.id)}><b>{kindWord(o.kind)}</b></a> },
  { key: 'status', head: words.status(), cell: (o) => <Status of={o.status} /> },
  ...(all ? [{ key: 'batch', head: words.batch(), cell: (o: Operation) => <a href={batchPath(o.batch)}>{o.batch}</a> }] : []),
  { key: 'progress', head: words.progress(), cell: (o) => <OperationProgress of={o} /> },
  { key: 'done', head: words.done(), number: true, cell: (o) => number(o.done) },
  { key: 'changed', head: words.changed(), number: true, minor: true, cell: (o) => number(o.changed) },
  { key: 'refused', head: words.refused(), number: true, minor: true, cell: (o) => number(o.refused) },
  { key: 'reason', head: words.reason(), minor: true, cell: (o) => <span class="clip" title={o.reason}>{o.reason}</span> },
  { key: 'by', head: words.by(), minor: true, cell: (o) => o.requestedBy },
  { key: 'at', head: words.at(), minor: true, cell: (o) => <Time at={o.requestedAt} /> },
];
