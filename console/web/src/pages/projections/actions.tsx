import { post } from '../../api/http';
import type { Projection, Rebuild } from '../../api/types';
import { segment } from '../../base/place';
import { projections as words, viewWord } from '../../i18n/projections';
import { ask } from '../../ui/dialog';
import { Check, Input, Segments } from '../../ui/fields';
import { toast } from '../../ui/toast';

const path = '/v1/projections';

export function resume(v: Projection) {
  const what = viewWord(v.view);
  ask({
    title: words.resume(), say: words.resumeSay({ what }), action: words.resume(),
    run: async (_, key) => {
      await post(`${path}/${segment(v.view)}/resume`, undefined, { key });
      toast(words.resumed({ what }));
    },
  });
}

export function rollback(v: Projection) {
  ask({
    title: words.rollback(), say: words.rollbackSay({ what: viewWord(v.view), n: v.keptVersion!, m: v.version }), action: words.rollback(), danger: true, reason: true,
    run: async ({ reason }, key) => {
      await post(`${path}/${segment(v.view)}/rollback`, { reason }, { key });
      toast(words.rolledBack());
    },
  });
}

// rebuild asks which of the views are meant; chosen is so from the start.
export function rebuild(views: string[], chosen?: string, accepting = false) {
  ask({
    title: words.rebuild(), say: words.rebuildSay(), action: words.rebuild(), reason: true,
    fields: (
      <>
        <fieldset class="checks">
          <legend>{words.views()} <span class="faint">· {words.allViews()}</span></legend>
          <div class="pair">{views.map((v) => <Check key={v} name={`view:${v}`} label={viewWord(v)} checked={v === chosen} />)}</div>
        </fieldset>
        <Input label={words.batch()} name="batch" maxLength={100} help={words.batchHelp()} />
        <Segments label={words.from()} name="from" value="journal" options={[['journal', words.journal()], ['kafka', words.kafka()]]} />
        <Check label={words.accept()} name="accept" checked={accepting} />
      </>
    ),
    run: async (values, key) => {
      const named = views.filter((v) => values[`view:${v}`] === 'on');
      await post<Rebuild>(`${path}/rebuilds`, { reason: values.reason, batch: values.batch, from: values.from, acceptDifferences: values.accept === 'on', views: named.length > 0 ? named : undefined }, { key });
      toast(words.begun());
    },
  });
}

export function cancel(r: Rebuild) {
  ask({
    title: words.cancel(), say: words.cancelSay(), action: words.cancel(), danger: true,
    run: async (_, key) => {
      await post(`${path}/rebuilds/${segment(r.id)}/cancel`, undefined, { key });
      toast(words.cancelled());
    },
  });
}
