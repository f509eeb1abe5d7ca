/** The client: asks by `fetch`, and does what the flow says. */

import { address, type AnswerOf, type ItemOf, type OperationId, type Paged, query, type Said } from './contract.js';
import { type Asked, type Content, exchange, type Flow, Identity, Marks, now, type Policy, POLICY, type Step, type Tokens } from './flow.js';
import { Answer, NoAnswer } from './problems.js';

const REFRESH = '/v1/auth/refresh';
/** Lines of JSON are none. */
const JSON_TYPE = /^application\/([\w.-]+\+)?json\b/i;

/**
 * `renewed` is told new tokens before they are used: a refresh token works once, so keep the new one.
 * `timeout` is in seconds without a byte; the gateway gives a write five.
 */
export interface Settings {
  readonly tokens?: Tokens;
  readonly policy?: Partial<Policy>;
  readonly renewed?: (tokens: Tokens) => void | Promise<void>;
  readonly timeout?: number;
}

/** `idempotencyKey` repeats a write after your program was started again. `signal` ends the wait; what was sent may still be done. */
export interface Options {
  readonly ifMatch?: string;
  readonly ifNoneMatch?: string;
  readonly idempotencyKey?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/** `json` or `content` is the body. */
export interface RequestOptions extends Options {
  readonly json?: unknown;
  readonly content?: Content;
  readonly params?: Readonly<Record<string, unknown>>;
}

interface Shared {
  readonly url: string;
  readonly identity: Identity;
  readonly policy: Policy;
  readonly timeout: number;
  readonly tell: Settings['renewed'];
  renewing: Promise<void> | undefined;
}

type Optional<Given> = {} extends Given ? [said?: Given & Options] : [said: Given & Options];

/** `const client = new Client('http://127.0.0.1:8000'); await client.logIn(…)`. */
export class Client {
  #shared: Shared;
  readonly #marks = new Marks();

  constructor(url: string, settings: Settings = {}) {
    this.#shared = {
      url: url.replace(/\/+$/, ''),
      identity: new Identity(settings.tokens),
      policy: { ...POLICY, ...settings.policy },
      timeout: settings.timeout ?? 15,
      tell: settings.renewed,
      renewing: undefined,
    };
  }

  /** The same client with writes of its own to be read: it hands on what it wrote itself, and nobody else's. */
  session(): Client {
    const made = new Client(this.#shared.url);
    made.#shared = this.#shared;
    return made;
  }

  /** Throws NotLoggedIn for wrong credentials. */
  async logIn(tenant: string, email: string, password: string): Promise<Tokens> {
    const answer = await this.request('POST', '/v1/auth/login', { json: { tenant, email, password } });
    this.#shared.identity.tenant = tenant;
    return this.#keep(answer);
  }

  /** Throws Problem, NoAnswer, or the reason of `signal`. */
  async request(method: string, path: string, options: RequestOptions = {}): Promise<Answer> {
    const headers = new Headers(options.headers);
    const given = { 'If-Match': options.ifMatch, 'If-None-Match': options.ifNoneMatch, 'Idempotency-Key': options.idempotencyKey };
    for (const [name, value] of Object.entries(given)) if (value !== undefined) headers.set(name, value);
    let body = options.content;
    if (options.json !== undefined) {
      headers.set('Content-Type', 'application/json');
      body = JSON.stringify(options.json);
    }
    const behind = options.params ? `${query(options.params)}` : '';
    const asked = { method: method.toUpperCase(), path, headers, body };
    const { identity, policy } = this.#shared;
    return this.#run(exchange(asked, identity, this.#marks, policy), asked, behind && `?${behind}`, options.signal);
  }

  /** What the operation answers, read from JSON; bytes where it is something else. Throws as `request`, and TypeError. */
  async call<Id extends OperationId>(id: Id, ...[said]: Optional<Said<Id>>): Promise<AnswerOf<Id>> {
    const { body, ifMatch, ifNoneMatch, idempotencyKey, headers, signal, ...parameters } = (said ?? {}) as Options & { body?: unknown };
    const [operation, path, params] = address(id, parameters);
    const given = Object.entries({ json: body, ifMatch, ifNoneMatch, idempotencyKey, headers, signal });
    const options = Object.fromEntries(given.filter(([, value]) => value !== undefined));
    return read(await this.request(operation.method, `${params}` ? `${path}?${params}` : path, options));
  }

  /** The items of all pages, asked for as they are needed, `limit` at a time. */
  async *every<Id extends Paged>(id: Id, ...[said]: Optional<Said<Id>>): AsyncGenerator<ItemOf<Id>, void, undefined> {
    let cursor: string | null | undefined;
    do {
      const asked = { limit: 200, ...said, ...(cursor ? { cursor } : {}) } as unknown as Said<Id> & Options;
      const page = (await this.call(id, ...([asked] as Optional<Said<Id>>))) as { items: ItemOf<Id>[]; next_cursor?: string | null };
      yield* page.items;
      cursor = page.next_cursor;
    } while (cursor != null);
  }

  async #run(flow: Flow, asked: Asked, behind: string, signal: AbortSignal | undefined): Promise<Answer> {
    let step = flow.next();
    while (!step.done) {
      let answer: Answer | undefined;
      try {
        answer = await this.#do(step.value, asked, behind, signal);
      } catch (failed) {
        step = flow.throw(failed);
        continue;
      }
      step = flow.next(answer);
    }
    return step.value;
  }

  async #do(step: Step, asked: Asked, behind: string, signal: AbortSignal | undefined): Promise<Answer | undefined> {
    signal?.throwIfAborted();
    if (step.do === 'send') return send(`${this.#shared.url}${asked.path}${behind}`, asked, this.#shared.timeout, signal);
    if (step.do === 'wait') await sleep(step.seconds, signal);
    else await unless(signal, this.#renew(step.stale, step.early));
    return undefined;
  }

  /** One at a time, however many wait; that one of them no longer waits does not end it. */
  #renew(stale: string, early: boolean): Promise<void> {
    const { identity } = this.#shared;
    const refresh = identity.tokens?.refresh;
    if (identity.tokens?.access !== stale || refresh === undefined || (early && identity.held)) return Promise.resolve();
    this.#shared.renewing ??= this.#refresh(refresh).finally(() => (this.#shared.renewing = undefined));
    return this.#shared.renewing;
  }

  async #refresh(refresh_token: string): Promise<void> {
    try {
      await this.#keep(await this.request('POST', REFRESH, { json: { refresh_token } }));
    } catch (failed) {
      this.#shared.identity.notRenewed(failed, refresh_token);
      throw failed;
    }
  }

  async #keep(answer: Answer): Promise<Tokens> {
    const said = answer.json() as { access_token: string; refresh_token: string; expires_in: number };
    const tokens = { access: said.access_token, refresh: said.refresh_token, endsAt: now() + said.expires_in };
    try {
      await this.#shared.tell?.(tokens);
    } finally {
      // The old refresh token is used up, whatever became of telling.
      this.#shared.identity.tokens = tokens;
    }
    return tokens;
  }
}

/** Throws the reason of `signal` at once. */
async function unless(signal: AbortSignal | undefined, done: Promise<void>): Promise<void> {
  let stop = () => {};
  const stopped = new Promise<never>((_, reject) => (stop = () => reject(signal?.reason)));
  signal?.addEventListener('abort', stop);
  try {
    await Promise.race([done, stopped]);
  } finally {
    signal?.removeEventListener('abort', stop);
  }
}

async function sleep(seconds: number, signal: AbortSignal | undefined): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  try {
    await unless(signal, new Promise((resolve) => (timer = setTimeout(resolve, seconds * 1000))));
  } finally {
    clearTimeout(timer);
  }
}

/** Once, and the answer whole. Throws NoAnswer, or the reason of `signal`. */
async function send(url: string, asked: Asked, timeout: number, signal: AbortSignal | undefined): Promise<Answer> {
  const ending = new AbortController();
  const end = () => ending.abort(signal?.reason);
  signal?.addEventListener('abort', end);
  let timer: ReturnType<typeof setTimeout> | undefined;
  const heard = () => {
    clearTimeout(timer);
    timer = setTimeout(() => ending.abort(new Error(`nothing came for ${timeout} s`)), timeout * 1000);
  };
  heard();
  try {
    const init = { method: asked.method, headers: asked.headers, signal: ending.signal };
    const response = await fetch(url, asked.body === undefined ? init : { ...init, body: asked.body });
    const parts: Uint8Array<ArrayBuffer>[] = [];
    const reader = response.body?.getReader();
    for (let part = await reader?.read(); part && !part.done; part = await reader?.read()) {
      heard();
      parts.push(part.value as Uint8Array<ArrayBuffer>);
    }
    const bytes = new Uint8Array(await new Blob(parts).arrayBuffer());
    return new Answer(response.status, response.statusText, response.headers, bytes);
  } catch (failed) {
    signal?.throwIfAborted();
    throw new NoAnswer(failed);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', end);
  }
}

function read(answer: Answer): any {
  if (answer.bytes.length === 0) return undefined;
  return JSON_TYPE.test(answer.headers.get('Content-Type') ?? '') ? answer.json() : answer.bytes;
}
