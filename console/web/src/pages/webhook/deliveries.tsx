import type { Delivery, PageOf } from '../../api/types';
import { number } from '../../base/format';
import { useEvery } from '../../base/every';
import { at, segment, urlOf } from '../../base/place';
import { useResource } from '../../base/resource';
import { may } from '../../base/session';
import { deliveries as words } from '../../i18n/webhooks';
import { common } from '../../i18n/common';
import { statusWord } from '../../i18n/words';
import { Dialog, show } from '../../ui/dialog';
import { Facts } from '../../ui/parts';
import { Status } from '../../ui/status';
import { Choice, Empty, Filters, Table, type Column } from '../../ui/table';
import { Time } from '../../ui/time';
import { retry } from './actions';

const readEvery = 4000;

export function Deliveries({ webhook }: { webhook: string }) {
  const page = useResource<PageOf<Delivery>>(urlOf(`/v1/webhooks/${segment(webhook)}/deliveries`, { status: at('status'), cursor: at('cursor'), limit: 50 }));
  useEvery(readEvery, page.reload);
  return (
    <>
      <h2 class="section">{words.title()} <span class="faint small">{words.help()}</span></h2>
      <Filters names={['status']}>
        <Choice name="status" label={words.status()} options={['pending', 'delivered', 'failed', 'withdrawn'].map((s) => [s, statusWord(s)] as const)} />
      </Filters>
      <Table label={words.title()} columns={columns(webhook)} of={page} id={(d) => d.id} filtered={at('status') !== ''} empty={<Empty title={words.none()}><p>{words.noneHelp()}</p></Empty>} />
    </>
  );
}

const Answer = ({ of: d }: { of: Delivery }) => <span>{d.httpStatus && <b>{d.httpStatus}</b>} {d.error ? <span class="faint clip" title={d.error}>{d.error}</span> : d.milliseconds !== undefined && <span class="faint">{words.milliseconds({ n: d.milliseconds })}</span>}</span>;

function detail(webhook: string, d: Delivery) {
  show(
    <Dialog title={words.delivery()} wide>
      <Facts of={[
        [words.event(), <code>{d.type}</code>], [words.status(), <Status of={d.status} />], [words.attempts(), number(d.attempts)], [words.placed(), <Time at={d.placedAt} />], [words.last(), <Time at={d.lastAttempt} />], [words.next(), <Next of={d} />],
        [words.answer(), d.httpStatus ?? '–'], d.milliseconds !== undefined && [words.took(), words.milliseconds({ n: d.milliseconds })], [words.lane(), <code>{d.lane}</code>], [words.id(), <code>{d.id}</code>], [words.eventId(), <code>{d.eventId}</code>],
      ]} />
      {d.error && <p class="bad break">{words.error()}: {d.error}</p>}
      {d.status === 'failed' && may('webhooks:write') && <footer><button type="button" class="primary" onClick={() => retry(webhook, d)}>{words.retry()}</button></footer>}
    </Dialog>,
  );
}

const Next = ({ of: d }: { of: Delivery }) => (d.status !== 'pending' ? <span class="faint">–</span> : d.nextAttempt ? <Time at={d.nextAttempt} /> : <span class="faint">{words.inLane()}</span>);

const columns = (webhook: string): Column<Delivery>[] => [
  { key: 'placed', head: words.placed(), cell: (d) => <Time at={d.placedAt} /> },
  { key: 'event', head: words.event(), cell: (d) => <code class="nowrap">{d.type}</code> },
  { key: 'status', head: words.status(), cell: (d) => <Status of={d.status} /> },
  { key: 'attempts', head: words.attempts(), number: true, cell: (d) => number(d.attempts) },
  { key: 'answer', head: words.answer(), cell: (d) => <Answer of={d} /> },
  { key: 'next', head: words.next(), minor: true, cell: (d) => <Next of={d} /> },
  { key: 'act', head: common.actions(), cell: (d) => (
    <div class="buttons">
      {d.status === 'failed' && may('webhooks:write') && <button type="button" onClick={() => retry(webhook, d)}>{words.retry()}</button>}
      <button type="button" class="plain" onClick={() => detail(webhook, d)}>{words.details()}</button>
    </div>
  ) },
];
