// All that ever happened to a document, as a timeline.
import type { Event, PageOf } from '../../api/types';
import { at, urlOf } from '../../base/place';
import { useResource } from '../../base/resource';
import { common } from '../../i18n/common';
import { document as words, eventWord } from '../../i18n/document';
import { wordIn } from '../../i18n/texts';
import { here } from '../../base/place';
import { batchPath } from '../../ui/batch';
import { Skeleton } from '../../ui/parts';
import { ProblemBox } from '../../ui/problem';
import { Status } from '../../ui/status';
import { Empty } from '../../ui/table';
import { Time } from '../../ui/time';
import { Tree } from '../../ui/tree';

const nameOf = wordIn(eventWord);

// The word of waybill.document.files-listed.v2 is files-listed.
const kindOf = (type: string) => type.split('.').at(-2) ?? type;

export function History({ path }: { path: string }) {
  const page = useResource<PageOf<Event>>(urlOf(path + '/history', { cursor: at('cursor'), limit: 200 }));
  if (page.problem) return <ProblemBox problem={page.problem} again={page.reload} />;
  if (!page.data) return <Skeleton lines={8} />;
  if (page.data.items.length === 0) return <Empty title={words.noHistory()} />;
  return (
    <>
      <ol class="timeline">
        {page.data.items.map((e) => {
          const data = (e.record as { data?: { reason?: string } }).data;
          return (
            <li key={`${e.partition}:${e.offset}`} class={e.statusAfter}>
              <Time at={e.time} />
              <div>
                <b>{nameOf(kindOf(e.type))}</b>{' '}
                {e.statusBefore !== e.statusAfter && <span class="statuses">{e.statusBefore && <><Status of={e.statusBefore} /> → </>}<Status of={e.statusAfter} /></span>}
                {typeof data?.reason === 'string' && data.reason !== '' && <p>{data.reason}</p>}
                <p class="line small faint">
                  <span>{e.actor.subject}</span>
                  {e.initiator && <span>{words.onBehalf({ what: e.initiator.subject })}</span>}{e.approver && <span>{words.approvedBy({ what: e.approver.subject })}</span>}
                  <a href={batchPath(e.batch)}>{e.batch}</a>{e.requestId && <span>{common.requestId()} <code>{e.requestId}</code></span>}
                </p>
                <details><summary>{words.record()} <code>{e.type}</code></summary><Tree of={e.record} /></details>
              </div>
            </li>
          );
        })}
      </ol>
      {page.data.next && <nav class="pager"><a class="button" href={here({ cursor: page.data.next })}>{common.next()}</a></nav>}
    </>
  );
}
