// Compiled, not run: what the types allow, and what they refuse.

import { Client, type AnswerOf, type OrderView } from 'tailrace-client';
declare const client: Client;
const order: OrderView = await client.call('orders.read', { order_id: 'x' });
order.version satisfies AnswerOf<'orders.read'>['version'] & number;
(await client.call('orders.delete', { order_id: 'x' })) satisfies undefined;
for await (const each of client.every('orders.list', { status: ['draft'] })) each.number satisfies string | null;
await client.call('units.list');
// @ts-expect-error there is no such operation
await client.call('orders.lst');
// @ts-expect-error nor such a parameter
await client.call('orders.list', { colour: 'red' });
// @ts-expect-error which order?
await client.call('orders.confirm');
// @ts-expect-error which order?
await client.call('orders.confirm', { ifMatch: '"1"' });
// @ts-expect-error no such status
await client.call('orders.list', { status: ['gone'] });
// @ts-expect-error an item has a name
await client.call('items.create', { body: { sku: 'NUT' } });
// @ts-expect-error it has no pages
client.every('orders.read', { order_id: 'x' });
// @ts-expect-error an answer has types
order.version satisfies string;
