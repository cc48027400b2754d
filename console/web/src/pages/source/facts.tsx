// The settings of a source as people read them.
import type { ComponentChildren } from 'preact';
import type { Source, SourceSettings, Window } from '../../api/types';
import { bytes, decimal, number } from '../../base/format';
import { sourceForm, dayWord, kindOfSource, sources as words } from '../../i18n/sources';
import { Facts, Panel } from '../../ui/parts';
import { Time } from '../../ui/time';

type Limits = Pick<SourceSettings, 'concurrency' | 'requestsPerSecond' | 'bytesPerSecond'>;

const limitsOf = (l: Limits) => [
  l.concurrency ? words.paceOf({ n: l.concurrency }) : '',
  l.requestsPerSecond ? words.perSecond({ n: decimal(l.requestsPerSecond) }) : '',
  l.bytesPerSecond ? `${bytes(l.bytesPerSecond)}/s` : '',
].filter(Boolean).join(' · ');

export const Pace = ({ of }: { of: Limits }) => <span class="nowrap">{limitsOf(of) || words.unlimited()}</span>;

const code = (text: string | undefined): ComponentChildren => (text ? <code>{text}</code> : <span class="faint">{words.noUrl()}</span>);

export function SourceFacts({ of: s }: { of: Source }) {
  return (
    <>
      <Panel title={words.connection()}>
        <Facts of={[
          [words.tokenUrl(), code(s.tokenUrl)], [words.dataUrl(), code(s.dataUrl)], [words.clientId(), code(s.clientId)], [words.secretRef(), code(s.secretRef)],
          [words.kind(), kindOfSource(s.kind)], [words.profile(), <a href={`/profiles/${s.profile}`}>{s.profile}</a>],
          [words.allowedNetworks(), s.allowedNetworks?.join(', ') || words.none()], [words.authorities(), s.certificateAuthorities ? words.ownAuthorities({ n: s.certificateAuthorities.length }) : words.none()],
        ]} />
      </Panel>
      <Panel title={words.reading()}>
        <Facts of={[
          [words.signAlgorithm(), s.signAlgorithm], [words.timestampUnit(), s.timestampUnit], [words.hashAlgorithm(), s.hashAlgorithm], [words.timeZone(), s.timeZone], [words.pageSize(), number(s.pageSize ?? 100)],
          [words.registered(), <Time at={s.registeredAt} />], [words.changed(), <><Time at={s.changedAt} /> · {s.changedBy}</>],
        ]} />
      </Panel>
      <Panel title={words.limits()}>
        <Facts of={[
          [words.concurrency(), number(s.concurrency ?? 64)], [words.requestsPerSecond(), s.requestsPerSecond ? decimal(s.requestsPerSecond) : words.unlimited()],
          [words.bytesPerSecond(), s.bytesPerSecond ? bytes(s.bytesPerSecond) : words.unlimited()],
          (s.windows?.length ?? 0) > 0 && [words.windows(), <ul>{s.windows!.map((w, i) => <li key={i}>{windowOf(w)}</li>)}</ul>],
        ]} />
      </Panel>
    </>
  );
}

const windowOf = (w: Window) => `${w.days.map(dayWord).join(', ')} ${w.from}–${w.to}: ${w.closed ? sourceForm.closed() : limitsOf(w)}`;
