// Compiled strictly beside the generated folder `made`, and run: a small company trades by it. Prints the operations that it called.

import { client } from './made/client.gen';
import * as api from './made/sdk.gen';
import type { ItemBody, NewOrder, OrderView } from './made/types.gen';

declare const process: { env: Record<string, string>; exitCode: number };

const { URL: baseUrl = '', TENANT: tenant = '', EMAIL: email = '', PASSWORD: password = '' } = process.env;
const called: string[] = [];
const key = () => ({ 'Idempotency-Key': crypto.randomUUID() });
const pause = () => new Promise((resolve) => setTimeout(resolve, 100));

/** What was not answered in time is sent again as it is, with its key, so that it is done once. */
async function askingAgain(input: RequestInfo | URL, init?: RequestInit): Promise<Response> {
  const request = new Request(input, init);
  for (const wait of [500, 1000, 2000, 4000, 8000]) {
    const answer = await fetch(request.clone());
    if (answer.status !== 503 && answer.status !== 504) return answer;
    await new Promise((resolve) => setTimeout(resolve, wait));
  }
  return fetch(request);
}

type Answer<Data> = { data?: Data; error?: unknown; response?: Response };

async function good<Data>(name: string, asked: Promise<Answer<Data>>): Promise<{ data: NonNullable<Data>; response: Response }> {
  const { data, error, response } = await asked;
  called.push(name);
  if (data == null || response == null) throw new Error(`${name}: ${response?.status} ${JSON.stringify(error)}`);
  return { data, response };
}

function check(holds: boolean, what: string): void {
  if (!holds) throw new Error(what);
}

async function sell(): Promise<void> {
  while (true) {
    const { data } = await good('unitsList', api.unitsList({ query: { limit: 200 } }));
    if (data.items.some((unit) => unit.code === 'pcs')) break;
    await pause();
  }
  const nut: ItemBody = { sku: 'NUT', name: 'Nut', tax_rate: '0.1' };
  const item = await good('itemsCreate', api.itemsCreate({ headers: key(), body: nut }));
  const path = { item_id: item.data.id };
  const seen = item.response.headers.get('ETag') ?? '';
  const bolt: ItemBody = { ...nut, sku: 'BOLT', tax_rate: '0.2' };
  const changed = await good('itemsReplace', api.itemsReplace({ path, headers: { ...key(), 'If-Match': seen }, body: bolt }));
  check(changed.data.version === 2 && changed.data.tax_rate === '0.2', 'the item is not as it was sent');
  const stale = await api.itemsReplace({ path, headers: { ...key(), 'If-Match': seen }, body: bolt });
  check(stale.error?.type === 'urn:tailrace:problem:stale', `a stale write: ${JSON.stringify(stale.error)}`);
  await good('itemsRead', api.itemsRead({ path }));
  const warehouse = await good('warehousesCreate', api.warehousesCreate({ headers: key(), body: { code: 'W', name: 'Shed' } }));
  const after = { 'Tailrace-After': warehouse.response.headers.get('Tailrace-Event') ?? '' };
  const place = { item_id: item.data.id, warehouse_id: warehouse.data.id };
  const receipt = { ...place, quantity: '10', value: 5000, currency: 'EUR', reason: 'opening' as const };
  const come = await good('inventoryCreateReceipt', api.inventoryCreateReceipt({ headers: { ...key(), ...after }, body: receipt }));
  check(come.data.on_hand === '10', 'the goods did not come in');
  await good('inventoryListStock', api.inventoryListStock({ query: { item_id: item.data.id } }));
  await good('inventoryReadStock', api.inventoryReadStock({ path: place }));
  const order: NewOrder = {
    customer_reference: 'PO 1',
    customer_name: 'Somebody',
    currency: 'EUR',
    lines: [{ ...place, quantity: '2', unit_price: '700' }],
  };
  const draft = await good('ordersCreate', api.ordersCreate({ headers: { ...key(), ...after }, body: order }));
  const shown: OrderView = draft.data;
  check(shown.net === 1400 && shown.tax === 280, 'the order is not priced');
  const of_draft = { path: { order_id: shown.id } };
  const drafts = await good('ordersList', api.ordersList({ query: { status: ['draft'], sort: '-number' } }));
  check(drafts.data.items[0]?.number === shown.number, 'the draft is not listed');
  await good('ordersConfirm', api.ordersConfirm({ ...of_draft, headers: key() }));
  await good('ordersHold', api.ordersHold({ ...of_draft, headers: key(), body: { reason: 'A question' } }));
  await good('ordersResume', api.ordersResume({ ...of_draft, headers: key() }));
  await good('ordersRead', api.ordersRead(of_draft));
  await good('ordersReadHistory', api.ordersReadHistory(of_draft));
  await good('shipmentsList', api.shipmentsList({ query: { order_id: shown.id } }));
}

async function manage(): Promise<void> {
  await good('authCreateRole', api.authCreateRole({ headers: key(), body: { name: 'guest', scopes: ['orders:read'] } }));
  const guest = { email: `guest@${tenant}.example`, name: 'Guest', password, roles: ['guest'] };
  const user = await good('authCreateUser', api.authCreateUser({ headers: key(), body: guest }));
  await good('authReadUser', api.authReadUser({ path: { user_id: user.data.id } }));
  const missing = await api.authReadUser({ path: { user_id: crypto.randomUUID() } });
  check(missing.error?.status === 404, `a user that is not there: ${JSON.stringify(missing.error)}`);
  await good('tenantsReadOwn', api.tenantsReadOwn());
  await good('accountingReadTrialBalance', api.accountingReadTrialBalance());
  await good('accountingListAccounts', api.accountingListAccounts({ query: { limit: 200 } }));
  const converted = await good('unitsConvertQuantity', api.unitsConvertQuantity({ headers: key(), body: { quantity: '2.5', from: 'kg', to: 'g' } }));
  check(converted.data.quantity === '2500', 'the conversion is wrong');
}

async function main(): Promise<void> {
  client.setConfig({ baseUrl, fetch: askingAgain });
  const tokens = await good('authLogInUser', api.authLogInUser({ body: { tenant, email, password } }));
  client.setConfig({ baseUrl, fetch: askingAgain, auth: tokens.data.access_token });
  const me = await good('authReadMe', api.authReadMe());
  check(me.data.email === email, 'somebody else is logged in');
  await sell();
  await manage();
  console.log(called.join(' '));
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
