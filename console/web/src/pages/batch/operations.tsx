import type { BatchOverview, Operation, PageOf } from '../../api/types';
import { at, segment, urlOf } from '../../base/place';
import { useResource } from '../../base/resource';
import { operations as words } from '../../i18n/batch';
import { operationColumns } from '../../ui/operations';
import { Empty, Table } from '../../ui/table';

export function Operations({ batch }: { batch: BatchOverview }) {
  const page = useResource<PageOf<Operation>>(urlOf(`/v1/batches/${segment(batch.number)}/operations`, { cursor: at('cursor'), limit: 50 }), { live: { batch: batch.number } });
  return <Table label={words.title()} columns={operationColumns(false)} of={page} id={(o) => o.id} empty={<Empty title={words.none()}><p>{words.noneHelp()}</p></Empty>} />;
}
