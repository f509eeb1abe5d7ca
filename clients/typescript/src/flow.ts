/**
 * What happens to one request until it is answered: keys, tokens, marks and tries, without a socket or a clock of its own.
 *
 * `exchange` yields what is to be done, and the client does it.
 */

import { type Answer, NoAnswer, Problem, problem } from './problems.js';

const WRITES = new Set(['POST', 'PUT', 'PATCH', 'DELETE']);
/** Their answers are secrets and are never stored, so a second try could be a second use. */
const WITHOUT_KEY = new Set(['/v1/auth/login', '/v1/auth/refresh', '/v1/auth/logout', '/v1/auth/token']);
const NOTHING_DONE = new Set([429, 503]);
const ANSWER_LOST = new Set([502, 504]);
const PASSING = new Set(['not-yet-known', 'idempotency-key-in-flight']);
/** Seconds before an early renewal that failed is tried again. */
const HOLD = 10;
/** Seconds for which a write is handed on: a reader that is further behind, or gave an event up, is not waited for any longer. */
const HANDED_ON = 60;
/** Aggregates named at most. */
const NAMED = 20;

/** How long to try. Times in seconds; `attempts` counts the first. */
export interface Policy {
  readonly attempts: number;
  readonly firstPause: number;
  readonly longestPause: number;
  readonly renewBefore: number;
}

export const POLICY: Policy = { attempts: 5, firstPause: 0.2, longestPause: 30, renewBefore: 60 };

/** `endsAt` is in seconds since 1970. */
export interface Tokens {
  readonly access: string;
  readonly refresh?: string | undefined;
  readonly endsAt?: number | undefined;
}

/** What is sent; its body can be sent again. */
export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly headers: Headers;
  readonly body: Content | undefined;
}

export type Content = string | Uint8Array<ArrayBuffer> | Blob | FormData | URLSearchParams;

/** Who asks; shared by all sessions of a client. */
export class Identity {
  /** For which company, when that was said by logging in. */
  tenant: string | undefined;
  private heldUntil = 0;

  constructor(public tokens: Tokens | undefined) {}

  /** Whether the access token ends within so many seconds and can be renewed. */
  endsWithin(seconds: number): boolean {
    return this.tokens?.refresh !== undefined && this.tokens.endsAt !== undefined && this.tokens.endsAt - now() <= seconds;
  }

  get held(): boolean {
    return now() < this.heldUntil;
  }

  /** A refresh token that may have been used is forgotten: a second use ends the session. */
  notRenewed(failed: unknown, used: string): void {
    this.heldUntil = now() + HOLD;
    const undone =
      failed instanceof NoAnswer ? failed.nothingSent : failed instanceof Problem && NOTHING_DONE.has(failed.status);
    if (!undone && this.tokens?.refresh === used) this.tokens = { ...this.tokens, refresh: undefined };
  }
}

/**
 * What a session wrote in the last minute, by aggregate; handed on as `Tailrace-After`, within the company that it was written in:
 * nobody of another company ever hears of it, and would wait for it in vain.
 */
export class Marks {
  private readonly kept = new Map<string, { sequence: number; at: number; tenant: string | undefined }>();

  /** From `Tailrace-Event`, a list of `<topic>/<aggregate>@<sequence>`. */
  note(said: string, tenant: string | undefined): void {
    for (const [, aggregate = '', told] of said.matchAll(/([^\s,]+)@([0-9]+)/g)) {
      const sequence = Math.max(Number(told), this.kept.get(aggregate)?.sequence ?? 0);
      this.kept.delete(aggregate);
      this.kept.set(aggregate, { sequence, at: now(), tenant });
    }
    for (const oldest of [...this.kept.keys()].slice(0, -NAMED)) this.kept.delete(oldest);
  }

  /** The header's value; empty for nothing. */
  named(tenant: string | undefined): string {
    const fresh = [...this.kept].filter(([, kept]) => kept.tenant === tenant && now() - kept.at < HANDED_ON);
    return fresh.map(([aggregate, { sequence }]) => `${aggregate}@${sequence}`).join(', ');
  }
}

/** `renew` exchanges the refresh token, unless the access token is no longer `stale`: another request has done it. */
export type Step =
  | { readonly do: 'send' }
  | { readonly do: 'wait'; readonly seconds: number }
  | { readonly do: 'renew'; readonly stale: string; readonly early: boolean };
export type Flow = Generator<Step, Answer, Answer | undefined>;

/** The answer, below 400. Throws Problem, or NoAnswer when no try was answered. */
export function* exchange(asked: Asked, identity: Identity, marks: Marks, policy: Policy): Flow {
  // Of this company, whatever the answer comes behind: somebody may log in elsewhere meanwhile.
  const { tenant } = identity;
  const keyed = prepare(asked, marks, tenant);
  let renewed = false;
  let tried = 1;
  while (true) {
    if (keyed && !renewed) yield* renewEarly(identity, policy);
    const used = keyed ? authorize(asked, identity) : undefined;
    let answer: Answer | undefined;
    try {
      answer = yield { do: 'send' };
    } catch (lost) {
      if (!(lost instanceof NoAnswer) || tried >= policy.attempts || !(keyed || lost.nothingSent)) throw lost;
      yield { do: 'wait', seconds: pause(policy, tried++, undefined) };
      continue;
    }
    if (answer === undefined) throw new TypeError('a send has an answer');
    if (answer.status === 401 && used?.refresh !== undefined && !renewed) {
      renewed = true;
      yield { do: 'renew', stale: used.access, early: false };
      continue;
    }
    if (answer.status < 400) {
      if (keyed) marks.note(answer.headers.get('Tailrace-Event') ?? '', tenant);
      return answer;
    }
    const refused = problem(answer);
    if (tried >= policy.attempts || !passes(refused, keyed) || (refused.retryAfter ?? 0) > policy.longestPause) throw refused;
    yield { do: 'wait', seconds: pause(policy, tried++, refused.retryAfter) };
  }
}

/** A token that has not ended is used although it could not be renewed. */
function* renewEarly(identity: Identity, policy: Policy): Generator<Step, void, Answer | undefined> {
  const stale = identity.tokens?.access;
  if (stale === undefined || !identity.endsWithin(policy.renewBefore)) return;
  const ended = identity.endsWithin(0);
  if (identity.held && !ended) return;
  try {
    yield { do: 'renew', stale, early: !ended };
  } catch (failed) {
    if (ended || !(failed instanceof Problem || failed instanceof NoAnswer)) throw failed;
  }
}

/** Give it its key and marks. Whether a second try does no more than the first. */
function prepare({ method, path, headers }: Asked, marks: Marks, tenant: string | undefined): boolean {
  if (WITHOUT_KEY.has(path)) return false;
  if (WRITES.has(method) && !headers.has('Idempotency-Key')) headers.set('Idempotency-Key', crypto.randomUUID());
  const named = marks.named(tenant);
  if (named && !headers.has('Tailrace-After')) headers.set('Tailrace-After', named);
  return true;
}

function authorize(asked: Asked, identity: Identity): Tokens | undefined {
  if (identity.tokens) asked.headers.set('Authorization', `Bearer ${identity.tokens.access}`);
  return identity.tokens;
}

function passes(refused: Problem, keyed: boolean): boolean {
  if (NOTHING_DONE.has(refused.status)) return true;
  if (!keyed) return false;
  return ANSWER_LOST.has(refused.status) || (refused.status === 409 && PASSING.has(refused.slug));
}

/** What the server asked for and a little more, so that clients do not come back together; else random up to a doubling bound. */
function pause({ firstPause, longestPause }: Policy, attempt: number, asked: number | undefined): number {
  if (asked !== undefined) return asked + Math.random() * firstPause;
  return Math.random() * Math.min(longestPause, firstPause * 2 ** attempt);
}

/** Seconds since 1970. */
export function now(): number {
  return Date.now() / 1000;
}
