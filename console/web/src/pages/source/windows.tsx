// Parts of the week in which other limits hold.
import type { Window } from '../../api/types';
import { dayWord, sourceForm as words, sources } from '../../i18n/sources';
import { Input } from '../../ui/fields';
import { Icon } from '../../ui/icons';

const days = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];
const time = '([01][0-9]|2[0-3]):[0-5][0-9]|24:00';

const numberOf = (text: string) => (text === '' ? undefined : Number(text));

export function Windows({ of, change }: { of: Window[]; change: (windows: Window[]) => void }) {
  const set = (i: number, values: Partial<Window>) => change(of.map((w, j) => (i === j ? { ...w, ...values } : w)));
  return (
    <fieldset class="windows">
      <legend>{sources.windows()}</legend>
      <p class="faint small">{words.windowsHelp()}</p>
      {of.map((w, i) => (
        <fieldset key={`${of.length}-${i}`} class="window">
          <legend>{words.window({ n: i + 1 })}</legend>
          <fieldset class="days">
            <legend>{words.days()}</legend>
            {days.map((d) => (
              <label key={d} class="check">
                <input type="checkbox" checked={w.days.includes(d)} onChange={(e) => set(i, { days: days.filter((o) => (o === d ? e.currentTarget.checked : w.days.includes(o))) })} />
                {dayWord(d)}
              </label>
            ))}
          </fieldset>
          <div class="pair">
            <Input label={words.from()} name={`from-${i}`} required pattern={time} value={w.from} onValue={(v) => set(i, { from: v })} help={words.times()} />
            <Input label={words.to()} name={`to-${i}`} required pattern={time} value={w.to} onValue={(v) => set(i, { to: v })} />
          </div>
          <label class="check"><input type="checkbox" checked={w.closed ?? false} onChange={(e) => set(i, e.currentTarget.checked ? { closed: true, concurrency: undefined, requestsPerSecond: undefined, bytesPerSecond: undefined } : { closed: undefined })} /> {words.closed()}</label>
          {!w.closed && (
            <div class="pair">
              <Input label={sources.concurrency()} name={`concurrency-${i}`} type="number" min="1" max="1000" value={w.concurrency} onValue={(v) => set(i, { concurrency: numberOf(v) })} />
              <Input label={sources.requestsPerSecond()} name={`requests-${i}`} type="number" min="0" step="any" value={w.requestsPerSecond} onValue={(v) => set(i, { requestsPerSecond: numberOf(v) })} />
              <Input label={sources.bytesPerSecond()} name={`bytes-${i}`} type="number" min="1024" value={w.bytesPerSecond} onValue={(v) => set(i, { bytesPerSecond: numberOf(v) })} />
            </div>
          )}
          <div class="buttons"><button type="button" onClick={() => change(of.filter((_, j) => i !== j))}>{words.removeWindow()}</button></div>
        </fieldset>
      ))}
      <button type="button" onClick={() => change([...of, { days: days.slice(0, 5), from: '08:00', to: '18:00', concurrency: 8 }])}><Icon name="plus" size={14} />{words.addWindow()}</button>
    </fieldset>
  );
}
