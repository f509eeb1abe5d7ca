// What the TypeScript client does by itself, each shown on a server that makes it necessary.

import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { afterEach, beforeEach, mock, test } from 'node:test';
import { Client, NoAnswer, NotLoggedIn, operations, Problem, Stale, Unavailable } from 'tailrace-client';
import { Server } from './server.mjs';

const QUICK = { firstPause: 0.01, longestPause: 1 };
const ATTEMPTS = 5;
const ROWS = 2500;
const now = () => Date.now() / 1000;
const OLD = { access: 'old', refresh: 'once' };
const tokens = (access) => ({ access_token: access, refresh_token: `next-${access}`, expires_in: 3600 });
let server;

beforeEach(async () => (server = await Server.start()));
afterEach(() => server.stop());

const quick = (settings = {}) => new Client(server.url, { policy: QUICK, ...settings });

test('waits as long as it is asked to', async () => {
  const busy = [503, { 'Retry-After': '0.3' }, { type: 'urn:tailrace:problem:busy' }];
  server.script(busy, busy, [200, {}, { code: 'W' }]);
  const began = performance.now();
  assert.deepEqual((await quick().request('GET', '/v1/warehouses')).json(), { code: 'W' });
  assert.ok(performance.now() - began >= 600);
});

test('does not wait longer than it may', async () => {
  server.does = () => [429, { 'Retry-After': '600' }, {}];
  await assert.rejects(quick().request('GET', '/v1/items'), (refused) => refused instanceof Unavailable && refused.retryAfter === 600);
  assert.equal(server.asked.length, 1);
});

test('gives up', async () => {
  server.does = () => [504, {}, {}];
  await assert.rejects(quick().request('GET', '/v1/items'), Unavailable);
  assert.equal(server.asked.length, ATTEMPTS);
});

test('pauses for a random time up to a bound that doubles', async () => {
  const random = mock.method(Math, 'random', () => 0.5);
  const asked = mock.method(globalThis, 'setTimeout');
  server.script([504, {}, {}], [504, {}, {}], [504, {}, {}], [503, { 'Retry-After': '0' }, {}], [200, {}, {}]);
  await new Client(server.url, { policy: { firstPause: 0.01, longestPause: 0.05 }, timeout: 60 }).request('GET', '/v1/items');
  const pauses = asked.mock.calls.map((call) => call.arguments[1]).filter((pause) => pause > 0 && pause < 1000);
  asked.mock.restore();
  random.mock.restore();
  assert.deepEqual(pauses, [10, 20, 25, 5]);
});

test('a write whose answer is lost is done once', async () => {
  const done = new Map();
  server.does = (_, __, headers) => {
    const key = headers['idempotency-key'];
    const first = !done.has(key);
    if (first) done.set(key, done.size + 1);
    return first ? null : [201, { 'Idempotency-Replayed': 'true' }, { number: done.get(key) }];
  };
  const client = quick();
  for (const number of [1, 2]) assert.equal((await client.request('POST', '/v1/orders', { json: {} })).json().number, number);
  assert.deepEqual([done.size, server.asked.length], [2, 4]);
  await client.request('POST', '/v1/orders', { json: {}, idempotencyKey: 'mine' });
  assert.equal(server.heads('Idempotency-Key').at(-1), 'mine');
});

test('an answer that stays away, or stops, is lost; a slow one is not', async () => {
  server.script(new Promise(() => {}), [200, { 'Content-Length': '1000' }, '{'], [200, {}, { whole: true }]);
  assert.deepEqual((await quick({ timeout: 0.2 }).request('GET', '/v1/items')).json(), { whole: true });
  assert.equal(server.asked.length, 3);
  server.script([200, {}, ['[1', ',', '2]']]);
  const slowly = quick({ timeout: 1, policy: { attempts: 1 } }).request('GET', '/v1/items');
  assert.deepEqual((await slowly).json(), [1, 2]);
});

test('a log-in is tried again only where nothing was done', async () => {
  server.does = () => null;
  await assert.rejects(quick().logIn('brassworks', 'ada@b.example', 'secret'), NoAnswer);
  assert.equal(server.asked.length, 1);
  server.script([503, {}, {}], [200, {}, tokens('new')]);
  await quick().logIn('brassworks', 'ada@b.example', 'secret');
  assert.deepEqual(new Set(server.heads('Idempotency-Key')), new Set([undefined]));
  const free = createServer();
  const port = await new Promise((resolve) => free.listen(0, '127.0.0.1', () => resolve(free.address().port)));
  await new Promise((resolve) => free.close(resolve));
  const asked = mock.method(globalThis, 'fetch');
  await assert.rejects(new Client(`http://127.0.0.1:${port}`, { policy: QUICK }).logIn('a', 'b', 'c'), NoAnswer);
  asked.mock.restore();
  assert.equal(asked.mock.callCount(), ATTEMPTS);
});

test('a refresh whose answer is lost is not sent again', async () => {
  server.does = () => null;
  const client = quick({ tokens: { ...OLD, endsAt: now() } });
  await assert.rejects(client.request('GET', '/v1/items'), NoAnswer);
  server.does = () => [401, {}, {}];
  await assert.rejects(client.request('GET', '/v1/items'), NotLoggedIn);
  assert.deepEqual(server.asked.map(({ path }) => path), ['/v1/auth/refresh', '/v1/items']);
});

test('renews before the end and tells it first', async () => {
  const told = [];
  server.script([200, {}, tokens('new')], [200, {}, {}]);
  const client = quick({ tokens: { ...OLD, endsAt: now() + 30 }, renewed: async ({ access }) => told.push(access, server.asked.length) });
  await client.request('GET', '/v1/items');
  assert.deepEqual(told, ['new', 1]);
  assert.equal(server.heads('Authorization')[1], 'Bearer new');
});

test('the old token is used while it is good', async () => {
  server.does = (_, path) => (path.includes('refresh') ? [503, {}, {}] : [200, {}, {}]);
  const client = quick({ tokens: { ...OLD, endsAt: now() + 30 } });
  for (let time = 0; time < 2; time++) await client.request('GET', '/v1/items');
  assert.equal(server.count('refresh'), ATTEMPTS, 'it is not tried again at once');
  assert.deepEqual(server.heads('Authorization').slice(-2), ['Bearer old', 'Bearer old']);
  await assert.rejects(quick({ tokens: { ...OLD, endsAt: now() } }).request('GET', '/v1/items'), Unavailable);
});

test('a storm of 401 refreshes once', async () => {
  const waiting = [];
  server.does = (_, path, headers) => {
    if (path.includes('refresh')) return [200, {}, tokens('new')];
    if (headers.authorization === 'Bearer new') return [200, {}, {}];
    return new Promise((resolve) => {
      waiting.push(() => resolve([401, {}, { type: 'urn:tailrace:problem:token-revoked' }]));
      if (waiting.length === 8) for (const go of waiting) go();
    });
  };
  const client = quick({ tokens: OLD });
  const sessions = [client, client.session()];
  await Promise.all(Array.from({ length: 8 }, (_, n) => sessions[n % 2].request('GET', '/v1/items')));
  assert.equal(server.count('refresh'), 1);
});

test('401 after the refresh is told', async () => {
  server.does = (_, path) => (path.includes('refresh') ? [200, {}, tokens('new')] : [401, {}, {}]);
  await assert.rejects(quick({ tokens: OLD }).request('GET', '/v1/items'), NotLoggedIn);
  assert.equal(server.count('refresh'), 1);
});

test('hands on what it wrote itself', async () => {
  server.does = (method) => [200, method === 'POST' ? { 'Tailrace-Event': 'catalog.events/1@1' } : {}, {}];
  const client = quick();
  const other = client.session();
  await client.request('POST', '/v1/items', { json: {} });
  await client.request('GET', '/v1/orders');
  await other.request('GET', '/v1/orders');
  assert.deepEqual(server.heads('Tailrace-After'), [undefined, 'catalog.events/1@1', undefined]);
});

test('what was written in one company is not waited for in another', async () => {
  server.does = (method, path) => {
    const written = method === 'POST' && path === '/v1/items';
    return [200, written ? { 'Tailrace-Event': 'catalog.events/1@1' } : {}, tokens('new')];
  };
  const client = quick();
  await client.logIn('brassworks', 'ada@b.example', 'secret');
  await client.request('POST', '/v1/items', { json: {} });
  for (const tenant of ['tinworks', 'brassworks']) {
    await client.logIn(tenant, 'ada@b.example', 'secret');
    await client.request('GET', '/v1/orders');
  }
  const named = server.asked.flatMap(({ method, headers }) => (method === 'GET' ? [headers['tailrace-after']] : []));
  assert.deepEqual(named, [undefined, 'catalog.events/1@1']);
});

test('new tokens are kept although they could not be told', async () => {
  server.script([200, {}, tokens('new')], [200, {}, {}]);
  const renewed = () => Promise.reject(new Error('no space left'));
  const client = quick({ tokens: { ...OLD, endsAt: now() }, renewed });
  await assert.rejects(client.request('GET', '/v1/items'), /no space left/);
  await client.request('GET', '/v1/items');
  assert.equal(server.heads('Authorization').at(-1), 'Bearer new');
});

test('a refusal of something between is a Problem too', async () => {
  for (const said of [{ errors: null }, { errors: 'no' }, { errors: ['no', null] }]) {
    server.does = () => [400, {}, said];
    await assert.rejects(quick().request('GET', '/v1/items'), (refused) => refused instanceof Problem && refused.errors.length === 0);
  }
});

test('hands on its last writes, each aggregate once', async () => {
  const said = ['a/1@9, b/1@1', 'a/1@10', 'a/1@8', ...Array.from({ length: 19 }, (_, n) => `c/${n}@1`)];
  server.does = (method) => [200, method === 'POST' ? { 'Tailrace-Event': said.shift() } : {}, {}];
  const client = quick();
  const write = async (times) => {
    for (let time = 0; time < times; time++) await client.request('POST', '/v1/items', { json: {} });
    await client.request('GET', '/v1/orders');
    return server.heads('Tailrace-After').at(-1);
  };
  assert.equal(await write(3), 'b/1@1, a/1@10');
  const named = (await write(19)).split(', ');
  assert.deepEqual([named.length, named[0], named[1]], [20, 'a/1@10', 'c/0@1']);
  const later = Date.now() + 60_000;
  const clock = mock.method(Date, 'now', () => later);
  assert.equal(await write(0), undefined);
  clock.mock.restore();
});

test('a refusal is typed', async () => {
  const said = { type: 'urn:tailrace:problem:stale', title: 'Changed meanwhile', detail: '2', request_id: 'r' };
  server.does = () => [412, {}, { ...said, errors: [{ field: 'If-Match', detail: 'is 1' }] }];
  const refused = await quick().request('PUT', '/v1/items/1', { json: {}, ifMatch: '"1"' }).catch((problem) => problem);
  assert.ok(refused instanceof Stale && refused instanceof Problem);
  assert.deepEqual([refused.slug, refused.requestId, refused.errors[0].field, refused.name], ['stale', 'r', 'If-Match', 'Stale']);
  assert.deepEqual(server.heads('If-Match'), ['"1"']);
});

function pages(_, path) {
  const asked = new URL(path, 'http://a').searchParams;
  const begin = Number(asked.get('cursor') ?? 0);
  const end = Math.min(begin + Number(asked.get('limit')), ROWS);
  const items = Array.from({ length: end - begin }, (_, n) => ({ id: begin + n }));
  return [200, {}, { items, next_cursor: end < ROWS ? String(end) : null }];
}

test('pages through 2500 rows, as they are needed', async () => {
  server.does = pages;
  const client = quick();
  const found = [];
  for await (const { id } of client.every('orders.list', { status: ['draft', 'confirmed'] })) found.push(id);
  assert.deepEqual(found, Array.from({ length: ROWS }, (_, n) => n));
  assert.equal(server.asked.length, 13);
  assert.match(server.asked[12].path, /status=draft&status=confirmed/);
  for await (const { id } of client.every('orders.list')) if (id === 250) break;
  assert.equal(server.asked.length, 15);
});

test('calls an operation', async () => {
  const client = quick();
  await client.call('orders.confirm', { order_id: 'a/b', ifMatch: '"1"' });
  const { method, path, headers } = server.asked[0];
  assert.deepEqual([method, path, headers['if-match']], ['POST', '/v1/orders/a%2Fb/confirm', '"1"']);
  await assert.rejects(client.call('orders.list', { colour: 'red' }), /TypeError: .*colour/);
  await assert.rejects(client.call('orders.lst'), /TypeError: .*orders\.lst/);
  for (const order_id of ['..', '', undefined, null]) await assert.rejects(client.call('orders.confirm', { order_id }), /TypeError: .*order_id/);
  assert.equal(server.asked.length, 1);
  server.does = () => [200, { 'Content-Type': 'application/x-ndjson' }, '{}\n'];
  assert.equal(new TextDecoder().decode(await client.call('audit.read_audit_siem')), '{}\n');
  server.does = () => [204, {}, ''];
  assert.equal(await client.call('orders.delete', { order_id: '1' }), undefined);
  assert.ok(Object.keys(operations).length > 500);
});

test('a signal ends a request, and a pause', async () => {
  let came;
  const asked = new Promise((resolve) => (came = resolve));
  server.does = () => new Promise(() => came());
  const reason = new Error('enough');
  const first = new AbortController();
  const waits = quick().request('GET', '/v1/items', { signal: first.signal });
  await asked;
  first.abort(reason);
  await assert.rejects(waits, reason);
  assert.equal(server.asked.length, 1);
  await assert.rejects(quick().call('items.list', { signal: AbortSignal.abort(reason) }), reason);
  assert.equal(server.asked.length, 1);
  const second = new AbortController();
  server.does = () => [503, { 'Retry-After': '20' }, {}];
  const pauses = new Client(server.url).request('GET', '/v1/items', { signal: second.signal });
  while (server.asked.length < 2) await new Promise((resolve) => setTimeout(resolve, 1));
  second.abort(reason);
  await assert.rejects(pauses, reason);
});

test('a signal does not end a renewal that others wait for', async () => {
  let go;
  const held = new Promise((resolve) => (go = resolve));
  let came;
  const asked = new Promise((resolve) => (came = resolve));
  server.does = async (_, path) => {
    if (!path.includes('refresh')) return [200, {}, {}];
    came();
    await held;
    return [200, {}, tokens('new')];
  };
  const client = quick({ tokens: { ...OLD, endsAt: now() } });
  const ending = new AbortController();
  const ended = client.request('GET', '/v1/items', { signal: ending.signal });
  const stays = client.request('GET', '/v1/orders');
  await asked;
  ending.abort(new Error('enough'));
  await assert.rejects(ended, /enough/);
  go();
  await stays;
  assert.deepEqual([server.count('refresh'), server.count('orders'), server.count('items')], [1, 1, 0]);
  assert.equal(server.heads('Authorization').at(-1), 'Bearer new');
});
