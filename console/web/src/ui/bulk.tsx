// Bulk operations, each confirmed with the count of a dry run.
import { post } from '../api/http';
import type { Query } from '../base/place';
import { bulk as words } from '../i18n/bulk';
import { ask } from './dialog';
import { Input } from './fields';
import { operationPath } from './operations';
import { toast } from './toast';

export type Kind = 'retry' | 'skip' | 'recall';

// Choice is the documents that are meant: of a batch, those that a filter
// chooses, or that are named.
export interface Choice {
  batch: string;
  filter?: Query;
  documents?: string[];
  list?: string;
  failedOf?: string;
}

interface Answer {
  operation?: string;
  count: number;
}

const path = '/v1/operations';

const asked = (kind: Kind, { filter, ...choice }: Choice) => ({
  kind, ...choice, filter: filter && Object.fromEntries(Object.entries(filter).filter(([, v]) => v)),
});

const says = { retry: [words.retry, words.retrySay, words.retryCount], skip: [words.skip, words.skipSay, words.skipCount], recall: [words.recall, words.recallSay, words.recallCount] } as const;

// bulk asks for an operation in each batch that has such documents.
export function bulk(kind: Kind, choices: Choice[]) {
  const [title, say, counted] = says[kind];
  const counts = new Map<Choice, number>();
  ask({
    title: title(), say: <>{say()}{choices.length > 1 && ' ' + words.perBatch()}</>, action: title(), reason: true,
    count: async () => {
      let sum = 0;
      for (const choice of choices) {
        const { count } = await post<Answer>(path, { ...asked(kind, choice), dryRun: true }, { quiet: true });
        counts.set(choice, count);
        sum += count;
      }
      return sum;
    },
    counted: (n) => counted({ n }),
    fields: (
      <div class="pair">
        {kind === 'skip' && <Input label={words.owner()} name="owner" maxLength={200} />}
        {kind === 'skip' && <Input label={words.reviewDate()} name="reviewDate" type="date" />}
        <Input label={words.pace()} name="pace" type="number" min="1" max="100000" help={words.paceHelp()} />
      </div>
    ),
    run: async ({ reason, owner, reviewDate, pace }, key) => {
      const made: string[] = [];
      for (const [i, choice] of choices.filter((c) => counts.get(c)! > 0).entries()) {
        const body = { ...asked(kind, choice), reason, owner, reviewDate, documentsPerSecond: pace && Number(pace) };
        made.push((await post<Answer>(path, body, { key: `${key}-${i}` })).operation!);
      }
      if (made.length === 1) toast(words.begun(), { to: operationPath(made[0]), text: words.show() });
      else toast(words.begunIn({ n: made.length }), { to: '/operations', text: words.toAll() });
    },
  });
}
