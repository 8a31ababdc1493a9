/** Sort orders: added, made the default one. Order 0 is the unsorted one, in every table. */
import type { SortOrder, TableMetadata } from '../metadata.ts';
import { tableSchema } from '../metadata.ts';
import { resultType } from '../partition.ts';
import { badUpdate, changed, type Draft, named, nextId } from './draft.ts';
import { nestedFields } from './nested-fields.ts';
import { sameJson } from './same-json.ts';

export function addSortOrder(draft: Draft, { fields }: Pick<SortOrder, 'fields'>): Draft {
  const { metadata } = draft;
  const orders = metadata['sort-orders'];
  const same = orders.find((other) => sameJson(other.fields, fields));
  const fresh =
    fields.length === 0
      ? 0
      : nextId(
          orders.map((order) => order['order-id']),
          1,
        );
  const id = same?.['order-id'] ?? fresh;
  const next = { ...draft, lastAdded: { ...draft.lastAdded, order: id } };
  if (same !== undefined) return next;
  checkFields(metadata, fields);
  return changed(next, { 'sort-orders': [...orders, { 'order-id': id, fields }] });
}

export function setDefaultSortOrder(draft: Draft, orderId: number): Draft {
  const { metadata, lastAdded } = draft;
  const id = named(orderId, { lastAdded: lastAdded.order, what: 'sort order' });
  if (id === metadata['default-sort-order-id']) return draft;
  if (!metadata['sort-orders'].some((order) => order['order-id'] === id))
    throw badUpdate(`there is no sort order ${id} to make the default one`);
  return changed(draft, { 'default-sort-order-id': id });
}

function checkFields(metadata: TableMetadata, fields: SortOrder['fields']): void {
  const ids = new Set([...nestedFields(tableSchema(metadata).fields)].map((column) => column.id));
  for (const { transform, direction, 'source-id': source, 'null-order': nulls } of fields) {
    if (!ids.has(source))
      throw badUpdate(`Cannot find source column for sort field: ${transform}(${source})`);
    if (resultType(transform, 'unknown') === undefined) throw badUpdate(`unknown transform: ${transform}`);
    if (direction !== 'asc' && direction !== 'desc') throw badUpdate(`unknown direction: ${direction}`);
    if (nulls !== 'nulls-first' && nulls !== 'nulls-last') throw badUpdate(`unknown null order: ${nulls}`);
  }
}
