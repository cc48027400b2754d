import type { Operation, PageOf } from '../api/types';
import { at, urlOf } from '../base/place';
import { useResource } from '../base/resource';
import { operations as words } from '../i18n/batch';
import { kindWord, statusWord } from '../i18n/words';
import { operationColumns } from '../ui/operations';
import { Page } from '../ui/parts';
import { Choice, Empty, Filters, Table, Words } from '../ui/table';

const filters = ['kind', 'status', 'batch'];

export default function OperationsPage() {
  const query = Object.fromEntries(filters.map((f) => [f, at(f)]));
  const page = useResource<PageOf<Operation>>(urlOf('/v1/operations', { ...query, cursor: at('cursor'), limit: 50 }), { live: { kind: 'operation' } });
  return (
    <Page title={words.title()}>
      <Filters names={filters}>
        <Choice name="kind" label={words.kind()} options={['retry', 'skip', 'recall'].map((k) => [k, kindWord(k)] as const)} />
        <Choice name="status" label={words.status()} options={['running', 'paused', 'completed', 'cancelled'].map((s) => [s, statusWord(s)] as const)} />
        <Words name="batch" label={words.batch()} />
      </Filters>
      <Table label={words.title()} columns={operationColumns(true)} of={page} id={(o) => o.id} filtered={filters.some((f) => at(f))} empty={<Empty title={words.none()}><p>{words.noneHelp()}</p></Empty>} />
    </Page>
  );
}
