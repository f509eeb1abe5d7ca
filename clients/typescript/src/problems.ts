/** Refusals as errors, by their status (RFC 9457). Decide by `type`, never by the text. */

const PREFIX = 'urn:tailrace:problem:';
/** Nothing was sent when a connection ends by one of these. Browsers do not tell. */
const NOT_CONNECTED = new Set(['ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH', 'ENOTFOUND', 'EAI_AGAIN', 'UND_ERR_CONNECT_TIMEOUT']);

/** What came back, read whole. */
export class Answer {
  constructor(
    readonly status: number,
    readonly statusText: string,
    readonly headers: Headers,
    readonly bytes: Uint8Array,
  ) {}

  text(): string {
    return new TextDecoder().decode(this.bytes);
  }

  /** Throws SyntaxError where it is no JSON. */
  json(): any {
    return JSON.parse(this.text());
  }
}

/** No try was answered. `cause` is what `fetch` said; with `nothingSent` the platform surely did nothing. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer';
  readonly nothingSent: boolean;

  constructor(cause: unknown) {
    super(`No answer: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    const inner = cause instanceof Error ? (cause.cause as { code?: unknown } | undefined) : undefined;
    this.nothingSent = NOT_CONNECTED.has(String(inner?.code));
  }
}

/** `field` is a JSON pointer into the body, or the name of a header or parameter. */
export interface FieldError {
  readonly field: string;
  readonly detail: string;
}

/** What the platform refused. `retryAfter` is in seconds, undefined where the same request will be refused again. */
export class Problem extends Error {
  readonly status: number;
  readonly type: string;
  readonly title: string;
  readonly detail: string;
  readonly requestId: string | undefined;
  readonly errors: readonly FieldError[];
  readonly retryAfter: number | undefined;

  constructor(answer: Answer) {
    const said = body(answer);
    const title = String(said['title'] ?? answer.statusText);
    const detail = String(said['detail'] ?? '');
    super(`${answer.status} ${title}: ${detail}`);
    this.name = new.target.name;
    this.status = answer.status;
    this.type = String(said['type'] ?? 'about:blank');
    this.title = title;
    this.detail = detail;
    this.requestId = (said['request_id'] as string | undefined) ?? answer.headers.get('X-Request-Id') ?? undefined;
    const errors = Array.isArray(said['errors']) ? said['errors'] : [];
    // What stands between may answer in JSON of its own.
    const told = errors.filter((each) => each !== null && typeof each === 'object');
    this.errors = told.map((each) => ({ field: String(each.field ?? ''), detail: String(each.detail ?? '') }));
    this.retryAfter = retryAfter(answer);
  }

  /** The last part of `type`, such as `stale`. */
  get slug(): string {
    return this.type.startsWith(PREFIX) ? this.type.slice(PREFIX.length) : this.type;
  }
}

/** 401: no token, or one that has ended and could not be renewed. */
export class NotLoggedIn extends Problem {}

/** 403: a scope is missing; `detail` names it. */
export class Forbidden extends Problem {}

/** 404: there is none, or it is another tenant's. */
export class Missing extends Problem {}

/** 409: not possible in this state. */
export class Conflict extends Problem {}

/** 412: it has changed since `If-Match` was read. */
export class Stale extends Problem {}

/** 429, 502, 503 or 504, still so after the last try. */
export class Unavailable extends Problem {}

const BY_STATUS: Readonly<Record<number, typeof Problem>> = {
  401: NotLoggedIn,
  403: Forbidden,
  404: Missing,
  409: Conflict,
  412: Stale,
  429: Unavailable,
  502: Unavailable,
  503: Unavailable,
  504: Unavailable,
};

/** The error for an answer of 400 or more. */
export function problem(answer: Answer): Problem {
  return new (BY_STATUS[answer.status] ?? Problem)(answer);
}

/** Seconds, as the platform sends them; a date, which a proxy may send, counts as none. */
function retryAfter(answer: Answer): number | undefined {
  const said = answer.headers.get('Retry-After');
  const seconds = said?.trim() ? Number(said) : Number.NaN;
  return Number.isFinite(seconds) ? Math.max(0, seconds) : undefined;
}

function body(answer: Answer): Record<string, unknown> {
  try {
    const said: unknown = answer.json();
    return said !== null && typeof said === 'object' ? (said as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
