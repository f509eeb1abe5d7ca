// Shows JSON Schemas as nested lists of fields. Text goes in as text nodes only, so nothing in a document can become markup.

export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) node.setAttribute(name, "");
    else if (value !== false && value != null) node.setAttribute(name, value);
  }
  node.append(...children.flat(Infinity).filter((child) => child != null && child !== false));
  return node;
}

// Text with `code` in backticks.
export function prose(text) {
  return text.split(/`([^`]+)`/).map((part, index) => (index % 2 ? el("code", {}, part) : part));
}

export class Schemas {
  constructor(openapi) {
    this.openapi = openapi;
  }

  // Follows a reference within the document; `name` is the component's.
  resolve(schema) {
    let name = null;
    for (let hops = 0; schema?.$ref && hops < 20; hops += 1) {
      const parts = schema.$ref.replace(/^#\//, "").split("/").map((part) => part.replace(/~1/g, "/").replace(/~0/g, "~"));
      name = parts.at(-1);
      const { $ref, ...beside } = schema;
      const target = parts.reduce((node, part) => node?.[part], this.openapi) ?? {};
      schema = { ...target, ...beside };
    }
    return { schema: merged(schema ?? {}, (part) => this.resolve(part).schema), name };
  }

  typeOf(given) {
    const { schema, name } = this.resolve(given);
    const choices = schema.anyOf ?? schema.oneOf;
    if (choices) return [...new Set(choices.map((choice) => this.typeOf(choice)))].join(" | ");
    if ("const" in schema) return JSON.stringify(schema.const);
    if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(" | ");
    if (schema.type === "array" || schema.items) return `array of ${this.typeOf(schema.items ?? {})}`;
    if (Array.isArray(schema.type)) return schema.type.join(" | ");
    if (name && (schema.type === "object" || schema.properties)) return shortName(name);
    if (schema.type === "object" && schema.additionalProperties) return `map of ${this.typeOf(schema.additionalProperties)}`;
    return schema.format ? `${schema.type} (${schema.format})` : (schema.type ?? "any");
  }

  // The object schemas that a value of this schema may hold, through arrays, maps and choices.
  objectsIn(given, seen = []) {
    const { schema, name } = this.resolve(given);
    if (name && seen.includes(name)) return [];
    const path = name ? [...seen, name] : seen;
    if (schema.properties) return [{ schema, name, seen: path }];
    const inner = [...(schema.anyOf ?? schema.oneOf ?? []), schema.items, schema.additionalProperties];
    return inner.filter((part) => part && typeof part === "object").flatMap((part) => this.objectsIn(part, path));
  }

  // A schema as a list of fields; what lies deeper than `open` levels folds in.
  show(given, open = 2, seen = []) {
    const objects = this.objectsIn(given, seen);
    if (!objects.length) return el("p", { class: "note" }, el("span", { class: "type" }, this.typeOf(given)));
    return el("div", {}, objects.map((object, index) => [
      objects.length > 1 && el("p", { class: "note" }, index ? "or " : "either ", el("code", {}, shortName(object.name ?? "object"))),
      this.fields(object, open),
    ]));
  }

  fields({ schema, seen }, open) {
    const required = new Set(schema.required ?? []);
    const rows = Object.entries(schema.properties).map(([name, property]) => this.field(name, property, required.has(name), open, seen));
    return el("ul", { class: "fields" }, rows);
  }

  field(name, property, required, open, seen) {
    const { schema } = this.resolve(property);
    const nested = this.objectsIn(property, seen);
    return el("li", {},
      el("span", { class: "name" }, name),
      el("span", { class: "type" }, this.typeOf(property)),
      required && el("span", { class: "flag" }, "required"),
      rules(schema).map((rule) => el("span", { class: "rule" }, rule)),
      schema.description && el("p", { class: "note" }, prose(schema.description)),
      nested.length > 0 && el("details", { class: "nested", open: open > 1 },
        el("summary", {}, nested.map((object) => shortName(object.name ?? "fields")).join(" | ")),
        nested.map((object) => this.fields(object, open - 1))));
  }
}

export function rules(schema) {
  const bounds = [
    ["minimum", "≥ "], ["exclusiveMinimum", "> "], ["maximum", "≤ "], ["exclusiveMaximum", "< "],
    ["minLength", "length ≥ "], ["maxLength", "length ≤ "], ["minItems", "items ≥ "], ["maxItems", "items ≤ "],
    ["multipleOf", "multiple of "], ["pattern", "matches "],
  ];
  const parts = [schema, ...(schema.anyOf ?? [])];
  const found = bounds.flatMap(([key, words]) => parts.filter((part) => part[key] !== undefined).map((part) => words + part[key]));
  if (schema.default !== undefined && schema.default !== null) found.push(`default ${JSON.stringify(schema.default)}`);
  return [...new Set(found)];
}

export function shortName(name) {
  return name.replace(/^[a-z_]+\./, "").replace(/_+/g, " ").trim();
}

function merged(schema, resolve) {
  if (!schema.allOf) return schema;
  const parts = schema.allOf.map(resolve);
  return {
    ...Object.assign({}, ...parts),
    ...schema,
    properties: Object.assign({}, ...parts.map((part) => part.properties ?? {}), schema.properties ?? {}),
    required: [...parts, schema].flatMap((part) => part.required ?? []),
  };
}
