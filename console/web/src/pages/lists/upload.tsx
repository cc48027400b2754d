// A table becomes a list of numbers.
import { post, Problem } from '../../api/http';
import type { ListMade } from '../../api/types';
import { go, segment, urlOf } from '../../base/place';
import { lists as words } from '../../i18n/lists';
import { kindWord } from '../../i18n/words';
import { ask } from '../../ui/dialog';
import { Field, Input, Select } from '../../ui/fields';
import { toast } from '../../ui/toast';

export const listPath = (id: string) => `/lists/${segment(id)}`;

const workbook = 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet';

// typed has the type that the name says: a browser's own depends on what is
// installed beside it.
const typed = (file: File) => new Blob([file], { type: /\.xlsx$/i.test(file.name) ? workbook : 'text/csv' });

export function upload() {
  let file: File | undefined;
  ask({
    title: words.upload(), say: words.say(), action: words.upload(),
    fields: (
      <>
        <Field label={words.file()} help={words.fileHelp()} required>
          {(id, described) => <input id={id} type="file" required aria-describedby={described} accept={`.csv,.txt,.xlsx,text/csv,${workbook}`} onChange={(e) => (file = e.currentTarget.files?.[0])} />}
        </Field>
        <Select label={words.kind()} name="kind" required options={['imageNumber', 'billNumber'].map((k) => [k, kindWord(k)] as const)} />
        <div class="pair">
          <Input label={words.column()} name="column" maxLength={200} help={words.columnHelp()} />
          <Input label={words.name()} name="name" maxLength={200} />
        </div>
      </>
    ),
    run: async ({ kind, column, name }, key) => {
      if (!file) throw new Problem({ type: '', code: 'file-missing', status: 422, title: '', detail: words.noFile(), requestId: '' });
      const made = await post<ListMade>(urlOf('/v1/lists', { kind, column, name: name ?? file.name.slice(0, 200) }), typed(file), { key });
      toast(words.made({ n: made.entries }));
      go(listPath(made.id));
    },
  });
}
