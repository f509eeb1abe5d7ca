/** What can be asked, by the operation ids of the contracts. */

import { type Operations, operations } from './operations.js';

/** `query` names the parameters that go behind the `?`; those of `path` stand in it in braces. */
export interface Operation {
  readonly method: string;
  readonly path: string;
  readonly query: readonly string[];
  readonly summary: string;
}

/** Such as `orders.confirm`. */
export type OperationId = keyof Operations;
type Part<Id extends OperationId, Name extends string> = Operations[Id][0] extends { [name in Name]?: infer Given }
  ? Exclude<Given, undefined> extends never ? {} : Exclude<Given, undefined>
  : {};
type Body<Id extends OperationId> = Operations[Id][0] extends { body: infer Given }
  ? [Exclude<Given, undefined>] extends [never] ? {} : { body: Given }
  : Operations[Id][0] extends { body?: infer Given }
    ? [Exclude<Given, undefined>] extends [never] ? {} : { body?: Given }
    : {};
/** The parameters of an operation and its body, in one object. */
export type Said<Id extends OperationId> = Part<Id, 'path'> & Part<Id, 'query'> & Body<Id>;
/** What it answers, read from JSON; bytes where it is something else. */
export type AnswerOf<Id extends OperationId> = Operations[Id][1];
/** Those that answer in pages. */
export type Paged = {
  [Id in OperationId]: Part<Id, 'query'> extends { cursor?: unknown }
    ? AnswerOf<Id> extends { items: unknown[]; next_cursor?: unknown } ? Id : never
    : never;
}[OperationId];
export type ItemOf<Id extends Paged> = AnswerOf<Id> extends { items: (infer Item)[] } ? Item : never;

/** The path, filled in, and the query. Throws TypeError that names what is missing, not known, or cannot stand in a path. */
export function address(id: OperationId, said: Readonly<Record<string, unknown>>): [Operation, string, URLSearchParams] {
  const operation: Operation | undefined = Object.hasOwn(operations, id) ? operations[id] : undefined;
  if (operation === undefined) throw new TypeError(`there is no ${id}`);
  const inPath = [...operation.path.matchAll(/\{(\w+)\}/g)].map((each) => each[1] ?? '');
  const unknown = Object.keys(said).filter((name) => !inPath.includes(name) && !operation.query.includes(name));
  if (unknown.length) {
    throw new TypeError(`${operation.path} knows no ${unknown.join(', ')}; it takes ${[...inPath, ...operation.query].join(', ')}`);
  }
  // An empty part, or one of dots, would be another path by the time it is sent.
  const lacking = inPath.filter((name) => ['', '.', '..'].includes(String(said[name] ?? '')));
  if (lacking.length) throw new TypeError(`${operation.path} needs ${lacking.join(', ')}`);
  const path = operation.path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String(said[name])));
  return [operation, path, query(said, operation.query)];
}

/** A list is sent as the same name several times; what is null or undefined is not sent. */
export function query(said: Readonly<Record<string, unknown>>, names: readonly string[] = Object.keys(said)): URLSearchParams {
  const made = new URLSearchParams();
  for (const name of names) {
    for (const value of [said[name]].flat()) if (value !== null && value !== undefined) made.append(name, String(value));
  }
  return made;
}
