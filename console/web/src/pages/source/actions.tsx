// What can be done to a source, and what that means to its batches.
import { post } from '../../api/http';
import type { Batch, Outcome, PageOf, Source, SourceReport } from '../../api/types';
import { runs } from '../../base/batches';
import { segment, urlOf } from '../../base/place';
import { useResource } from '../../base/resource';
import { sourceActions as words } from '../../i18n/sources';
import { common } from '../../i18n/common';
import { ask } from '../../ui/dialog';
import { Input } from '../../ui/fields';
import { toast } from '../../ui/toast';

export const sourcePath = (id: string, tab = '') => `/sources/${segment(id)}${tab && '/' + tab}`;

const told = (outcome: Outcome, text: string) => toast(outcome.changed ? text : common.unchanged());

// Affected says how many batches hold or go on.
function Affected({ source, phase }: { source: string; phase: 'active' | 'held' }) {
  const batches = useResource<PageOf<Batch>>(urlOf('/v1/batches', { source, phase, limit: 200 }));
  if (!batches.data) return null;
  const n = batches.data.items.filter(runs).length;
  const [some, none] = phase === 'active' ? [words.running, words.noneRunning] : [words.held, words.noneHeld];
  return <p><b>{n === 0 ? none() : some({ n })}</b></p>;
}

function enable(s: Source) {
  ask({
    title: words.enable(), say: <><p>{words.enableSay({ what: s.name })}</p><Affected source={s.id} phase="held" /></>, action: words.enable(), reason: true,
    run: async ({ reason }, key) => told(await post<Outcome>(`/v1/sources/${segment(s.id)}/enable`, { reason }, { key }), words.enabled({ what: s.name })),
  });
}

function disable(s: Source) {
  ask({
    title: words.disable(), say: <><p>{words.disableSay({ what: s.name })}</p><Affected source={s.id} phase="active" /></>, action: words.disable(), danger: true, reason: true,
    run: async ({ reason }, key) => told(await post<Outcome>(`/v1/sources/${segment(s.id)}/disable`, { reason }, { key }), words.disabled({ what: s.name })),
  });
}

export function EnableButton({ of: s }: { of: Source }) {
  return s.status === 'enabled'
    ? <button type="button" class="danger" onClick={() => disable(s)}>{words.disable()}</button>
    : <button type="button" onClick={() => enable(s)}>{words.enable()}</button>;
}

export function check(s: Source, found: (report: SourceReport) => void) {
  ask({
    title: words.check(), say: words.checkSay(), action: words.check(),
    fields: (
      <div class="pair">
        <Input label={words.checkFrom()} name="from" type="date" />
        <Input label={words.checkTo()} name="to" type="date" help={words.checkHelp()} />
      </div>
    ),
    run: async ({ from, to }, key) => found(await post<SourceReport>(`/v1/sources/${segment(s.id)}/check`, { from, to }, { key, quiet: true })),
  });
}
