// What a rehearsal found: what a retry would come to now, file by file.
import type { Rehearsal } from '../../api/types';
import { bytes } from '../../base/format';
import { rehearsal as words } from '../../i18n/explain';
import { categoryWord, classWord } from '../../i18n/words';
import { Told } from '../../ui/failure';
import { Icon } from '../../ui/icons';
import { Facts } from '../../ui/parts';
import { Status } from '../../ui/status';
import { Broken } from '../document';

export function Rehearsed({ of: r }: { of: Rehearsal }) {
  const outcome = { migrates: <Status of="passed" word={words.migrates()} />, fails: <Status of="failed" word={words.fails()} />, unfinished: <Status of="pending" word={words.unfinished()} /> }[r.outcome];
  return (
    <div class="rehearsed">
      <p class="line">{outcome}{r.changed && <span class="status warn"><Icon name="retry" size={12} />{words.changed()}</span>}</p>
      {r.failure && <p class="bad">{categoryWord(r.failure.category)} <code>{r.failure.code}</code> <Told of={r.failure} /></p>}
      <Broken rules={r.judgement.rules} />
      <ul class="files">
        {r.fileList.map((f) => (
          <li key={f.id}>
            <p class="line"><Status of={f.status} /><b>{f.name}</b><span class="faint small">{classWord(f.class)} · {bytes(f.arrival?.received || f.size)}</span></p>
            {f.arrival?.failure && !f.arrival.rules?.some((x) => x.code === f.arrival!.failure!.code) && <p class="small bad"><code>{f.arrival.failure.code}</code> <Told of={f.arrival.failure} /></p>}
            {f.arrival?.rules && <Broken rules={f.arrival.rules} />}
          </li>
        ))}
      </ul>
      <Facts of={[[words.bytes(), bytes(r.bytes)], [words.fetch(), `${r.fetchMs} ms`], [words.validate(), `${r.validateMs} ms`], [words.build(), <code>{r.build}</code>]]} />
    </div>
  );
}
