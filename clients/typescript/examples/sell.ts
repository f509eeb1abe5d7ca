/** A company logs in, sells two nuts, and sees what that leads to. URL, TENANT, EMAIL and PASSWORD come from the environment. */

import { Client, Problem } from 'tailrace-client';

declare const process: { env: Record<string, string | undefined> };
const { URL: url = '', TENANT = '', EMAIL = '', PASSWORD = '' } = process.env;
const moment = () => new Promise((resolve) => setTimeout(resolve, 100));

const client = new Client(url);
await client.logIn(TENANT, EMAIL, PASSWORD);
const units = async () => (await client.call('units.list', { limit: 200 })).items;
while (!(await units()).some((unit) => unit.code === 'pcs')) await moment(); // a new company's units arrive in a moment
const item = await client.call('items.create', { body: { sku: 'NUT', name: 'Nut', tax_rate: '0.1' } });
const warehouse = await client.call('warehouses.create', { body: { code: 'W', name: 'Shed' } });
const place = { item_id: item.id, warehouse_id: warehouse.id };
await client.call('inventory.create_receipt', {
  body: { ...place, quantity: '10', value: 5000, currency: 'EUR', reason: 'opening' },
}); // answered from rows that show the item and the warehouse

const order = await client.call('orders.create', {
  body: { customer_reference: 'PO 1', customer_name: 'Somebody', currency: 'EUR', lines: [{ ...place, quantity: '2', unit_price: '700' }] },
});
await client.call('orders.confirm', { order_id: order.id, ifMatch: `"${order.version}"` });
const shipments = async () => (await client.call('shipments.list', { order_id: order.id })).items;
let [shipment] = await shipments();
for (; !shipment; [shipment] = await shipments()) await moment(); // two services further on: to be waited for
await client.call('shipments.dispatch', { shipment_id: shipment.id, body: {} });

try {
  await client.call('orders.delete', { order_id: order.id });
  throw new Error('an order that was dispatched is gone');
} catch (refused) {
  if (!(refused instanceof Problem)) throw refused;
  console.log(refused.status, refused.slug);
}
const numbers = [order.number];
for await (const each of client.every('orders.list', { limit: 1 })) numbers.push(each.number);
console.log(numbers.join(' '));
