// How a batch is told in tables and headings.
import type { Batch } from '../api/types';
import { secondsLeft, rateOf, wholeOf } from '../base/pace';
import { decimal, duration, percent } from '../base/format';
import { segment } from '../base/place';
import { batches as words } from '../i18n/batches';
import { modeWord } from '../i18n/words';
import { Bar } from './closure';
import { Status } from './status';

export const batchPath = (number: string, tab = '') => `/batches/${segment(number)}${tab && '/' + tab}`;

export const documentPath = (batch: string, id: string) => `${batchPath(batch)}/documents/${segment(id)}`;

export function BatchLink({ of }: { of: Batch }) {
  return <span class="batch-link"><a href={batchPath(of.number)}><b>{of.number}</b></a>{of.mode === 'preflight' && <span class="tag">{modeWord('preflight')}</span>}</span>;
}

export function BatchStatus({ of }: { of: Batch }) {
  return <span class="statuses"><Status of={of.status} />{of.phase !== 'active' && <Status of={of.phase} />}</span>;
}

export const periodOf = (b: Batch) => (b.scope.from ? `${b.scope.from} – ${b.scope.to}` : words.noPeriod());

export const Period = ({ of: b }: { of: Batch }) => (b.scope.from ? <><span class="nowrap">{b.scope.from}</span> – <span class="nowrap">{b.scope.to}</span></> : <>{words.noPeriod()}</>);

export function BatchProgress({ of }: { of: Batch }) {
  const settled = of.documents.total - of.documents.pending;
  return (
    <div class="progress">
      <Bar counts={of.documents} of={wholeOf(of)} label={words.documents()} />
      <span class="faint small">{percent(settled, wholeOf(of))}<Left of={of} /></span>
    </div>
  );
}

// Left is the pace and the time that remains, where both are known.
export function Left({ of }: { of: Batch }) {
  const [rate, left] = [rateOf(of), secondsLeft(of)];
  if (of.status !== 'in-progress' || rate === undefined || left === undefined) return null;
  return <> · {words.rate({ n: decimal(rate) })} · {words.remaining({ time: duration(left) })}</>;
}
