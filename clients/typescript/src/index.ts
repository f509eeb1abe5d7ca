/** Asks a Tailrace platform, and does by itself what a careful client does: see `Client`. */

export { Client, type Options, type RequestOptions, type Settings } from './client.js';
export type { AnswerOf, ItemOf, Operation, OperationId, Paged, Said } from './contract.js';
export type { Policy, Tokens } from './flow.js';
export { operations } from './operations.js';
export { Answer, Conflict, type FieldError, Forbidden, Missing, NoAnswer, NotLoggedIn, Problem, Stale, Unavailable } from './problems.js';
export type * from './types.js';
