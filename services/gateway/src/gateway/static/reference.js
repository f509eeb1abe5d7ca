// The reference page: reads /openapi.json and shows it by tag, with a search over every operation. An operation renders when it is opened.

import { el, prose, rules, Schemas, shortName } from "/docs/schema.js";

const METHODS = ["get", "post", "put", "patch", "delete", "head", "options"];

function operationsByTag(openapi) {
  const tags = new Map((openapi.tags ?? []).map((tag) => [tag.name, []]));
  for (const [path, item] of Object.entries(openapi.paths)) {
    for (const method of METHODS.filter((name) => item[name])) {
      const operation = { ...item[method], path, method, parameters: [...(item.parameters ?? []), ...(item[method].parameters ?? [])] };
      operation.id = `${method}${path}`.replace(/[^A-Za-z0-9]+/g, "-").replace(/-$/, "");
      operation.title = operation.summary ?? operation.operationId ?? "";
      operation.text = `${method} ${path} ${operation.title} ${operation.description ?? ""}`.toLowerCase();
      for (const tag of operation.tags ?? ["other"]) tags.set(tag, [...(tags.get(tag) ?? []), operation]);
    }
  }
  return new Map([...tags].filter(([, operations]) => operations.length));
}

function tagId(tag) {
  return `tag-${tag.replace(/[^A-Za-z0-9]+/g, "-")}`;
}

function badge(method) {
  return el("span", { class: `method ${method}` }, method === "delete" ? "del" : method);
}

function pathWithParameters(path) {
  return el("span", { class: "path" }, path.split(/(\{[^}]+\})/).map((part) => (part.startsWith("{") ? el("i", {}, part) : part)));
}

function parameterRow(parameter, schemas) {
  const { schema } = schemas.resolve(parameter.schema ?? {});
  return el("li", {},
    el("span", { class: "name" }, parameter.name),
    el("span", { class: "type" }, schemas.typeOf(parameter.schema ?? {})),
    el("span", { class: "flag in" }, parameter.in),
    parameter.required && el("span", { class: "flag" }, "required"),
    rules(schema).map((rule) => el("span", { class: "rule" }, rule)),
    (parameter.description ?? schema.description) && el("p", { class: "note" }, prose(parameter.description ?? schema.description)));
}

function contentOf(content, schemas, open) {
  return Object.entries(content ?? {}).map(([mediaType, media]) => [
    el("p", { class: "note" }, el("code", {}, mediaType), " ", el("span", { class: "type" }, schemas.typeOf(media.schema ?? {}))),
    media.schema && schemas.objectsIn(media.schema).length > 0 && schemas.show(media.schema, open),
  ]);
}

function responseOf(status, response, schemas) {
  const resolved = schemas.resolve(response).schema;
  return el("details", { class: "response", open: status.startsWith("2") },
    el("summary", {}, el("span", { class: `status s${status[0]}` }, status), resolved.description ?? ""),
    contentOf(resolved.content, schemas, 2));
}

function bodyOf(operation, schemas) {
  const parameters = operation.parameters.map((parameter) => schemas.resolve(parameter).schema);
  const request = operation.requestBody && schemas.resolve(operation.requestBody).schema;
  return el("div", { class: "body" },
    operation.description && el("p", {}, prose(operation.description)),
    operation["x-service"] && el("p", {}, el("span", { class: "scope" }, `service ${operation["x-service"]}`), " ",
      el("span", { class: "scope" }, operation.security?.length ? "needs an access token" : "no token declared")),
    parameters.length > 0 && [el("h4", {}, "Parameters"), el("ul", { class: "fields" }, parameters.map((parameter) => parameterRow(parameter, schemas)))],
    request && [el("h4", {}, "Request body"), contentOf(request.content, schemas, 3)],
    el("h4", {}, "Responses"),
    Object.entries(operation.responses ?? {}).sort().map(([status, response]) => responseOf(status, response, schemas)));
}

function operationOf(operation, schemas) {
  const details = el("details", { class: "operation", id: operation.id },
    el("summary", {}, badge(operation.method), pathWithParameters(operation.path), el("span", { class: "summary" }, operation.title)));
  details.addEventListener("toggle", () => {
    if (details.open && details.children.length === 1) details.append(bodyOf(operation, schemas));
  });
  return details;
}

function problemTypes(kinds) {
  const rows = kinds.map((kind) => el("tr", {},
    el("td", {}, el("span", { class: `status s${String(kind.status)[0]}` }, String(kind.status))),
    el("td", {}, el("code", {}, kind.type)),
    el("td", {}, el("strong", {}, kind.title), el("p", { class: "note" }, prose(kind.description)))));
  return el("section", { class: "tag", id: "problem-types" },
    el("h2", {}, "Problem types"),
    el("p", { class: "intro" }, "Every refusal is ", el("code", {}, "application/problem+json"),
      prose(" (RFC 9457). Its `type` is one of these; `errors` names the fields at fault, and `request_id` finds it in the logs.")),
    el("div", { class: "wide" }, el("table", {},
      el("thead", {}, el("tr", {}, el("th", {}, "Status"), el("th", {}, "Type"), el("th", {}, "Meaning"))), el("tbody", {}, rows))));
}

function contentsOf(tags, kinds) {
  const groups = [...tags].map(([tag, operations]) => el("section", {},
    el("h2", {}, el("a", { href: `#${tagId(tag)}` }, tag)),
    el("ul", {}, operations.map((operation) => el("li", { "data-for": operation.id },
      el("a", { href: `#${operation.id}`, title: operation.title },
        badge(operation.method), el("span", {}, operation.path.replace(/^\/v\d+\//, ""))))))));
  if (kinds.length) groups.push(el("section", { class: "always" }, el("h2", {}, el("a", { href: "#problem-types" }, "Problem types"))));
  return groups;
}

// Hides what does not hold every word, and then the groups that became empty.
function filter(tags, words) {
  const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
  for (const operation of [...tags.values()].flat()) {
    const hidden = !wanted.every((word) => operation.text.includes(word));
    for (const node of document.querySelectorAll(`[id="${operation.id}"], [data-for="${operation.id}"]`)) node.hidden = hidden;
  }
  for (const section of document.querySelectorAll(".tag:not(#problem-types), #contents section:not(.always)")) {
    section.hidden = !section.querySelector(".operation:not([hidden]), li[data-for]:not([hidden])");
  }
}

function openLinked() {
  const id = decodeURIComponent(location.hash.slice(1));
  const target = id && document.getElementById(id);
  for (const link of document.querySelectorAll("#contents a[aria-current]")) link.removeAttribute("aria-current");
  document.querySelector(`#contents a[href="#${CSS.escape(id)}"]`)?.setAttribute("aria-current", "true");
  if (!target) return;
  if (target.matches("details")) target.open = true;
  target.scrollIntoView();
}

function followTheme() {
  const root = document.documentElement;
  const stored = localStorage.getItem("theme");
  if (stored) root.dataset.theme = stored;
  document.getElementById("theme").addEventListener("click", () => {
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
    localStorage.setItem("theme", root.dataset.theme);
  });
}

function followSearch(tags) {
  const search = document.getElementById("search");
  search.addEventListener("input", () => filter(tags, search.value));
  document.addEventListener("keydown", (event) => {
    if (event.key === "/" && document.activeElement !== search) {
      event.preventDefault();
      search.focus();
    }
    if (event.key === "Escape" && document.activeElement === search) {
      search.value = "";
      filter(tags, "");
    }
  });
}

async function start() {
  followTheme();
  const answer = await fetch("/openapi.json");
  if (!answer.ok) throw new Error(`/openapi.json answered ${answer.status}`);
  const openapi = await answer.json();
  const schemas = new Schemas(openapi);
  const tags = operationsByTag(openapi);
  const kinds = openapi["x-problem-types"] ?? [];
  const count = [...tags.values()].flat().length;
  document.getElementById("contents").append(...contentsOf(tags, kinds));
  document.getElementById("main").replaceChildren(
    el("h1", {}, `${openapi.info.title} API`),
    el("p", { class: "intro" }, openapi.info.description ?? "", ` ${count} operations in ${tags.size} groups. `, el("a", { href: "/openapi.json" }, "OpenAPI 3.1 document")),
    ...[...tags].map(([tag, operations]) => el("section", { class: "tag", id: tagId(tag) },
      el("h2", {}, shortName(tag), el("small", {}, `${operations.length} operations`)),
      operations.map((operation) => operationOf(operation, schemas)))),
    kinds.length ? problemTypes(kinds) : "");
  followSearch(tags);
  addEventListener("hashchange", openLinked);
  openLinked();
}

start().catch((error) => {
  document.getElementById("main").replaceChildren(el("p", { role: "alert" }, `The reference cannot be shown: ${error.message}`));
});
