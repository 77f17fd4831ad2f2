/** The API's documentation, drawn from openapi.json. */

import { byId, el } from "./dom.js";

/** @typedef {Record<string, any>} Json */

/**
 * A schema with its reference followed.
 *
 * @param {Json} schema
 * @param {Json} api
 * @returns {Json}
 */
function resolved(schema, api) {
  const name = schema.$ref?.split("/").pop();
  return name ? api.components.schemas[name] : schema;
}

/**
 * A type in words: "integer, 1 to 100".
 *
 * @param {Json} schema
 * @param {Json} api
 * @returns {string}
 */
function typeOf(schema, api) {
  const one = resolved(schema.anyOf?.[0] ?? schema, api);
  if (one.type === "array") return `list of ${typeOf(one.items, api)}`;
  if (one.properties) return `{${Object.keys(one.properties).join(", ")}}`;
  const least = one.minimum ?? one.exclusiveMinimum;
  const word = one.format === "binary" ? "file" : one.type;
  if (least === undefined) return word;
  if (one.maximum !== undefined) return `${word}, ${least} to ${one.maximum}`;
  return `${word}, at least ${least}`;
}

/**
 * @param {string} caption
 * @param {string[]} heads
 * @param {(string | Node)[][]} rows the first cell of each heads its row
 */
function table(caption, heads, rows) {
  if (rows.length === 0) return [];
  const head = el("tr", {}, ...heads.map((text) => el("th", { scope: "col" }, text)));
  const body = rows.map(([first, ...others]) =>
    el("tr", {}, el("th", { scope: "row" }, first), ...others.map((cell) => el("td", {}, cell))),
  );
  const whole = el("table", {}, el("thead", {}, head), el("tbody", {}, ...body));
  return [el("h3", {}, caption), el("div", { class: "scroll" }, whole)];
}

/**
 * @param {string} name
 * @param {Json} schema
 * @param {boolean} required
 * @param {Json} api
 */
function valueRow(name, schema, required, api) {
  const { default: preset } = schema;
  const isPlain = preset !== undefined && preset !== null && typeof preset !== "object" && preset !== "";
  const need = required ? "required" : isPlain ? `default ${preset}` : "optional";
  return [name, typeOf(schema, api), need, schema.description ?? ""];
}

/**
 * @param {Json} operation
 * @param {Json} api
 */
function parameters(operation, api) {
  /** @type {Json[]} */
  const all = operation.parameters ?? [];
  const rows = [...all.filter((p) => p.required), ...all.filter((p) => !p.required)].map((p) =>
    valueRow(p.name, { ...p.schema, description: p.description }, p.required, api),
  );
  return table("Parameters", ["Name", "Type", "", "Meaning"], rows);
}

/**
 * @param {Json} operation
 * @param {Json} api
 */
function body(operation, api) {
  const [type, content] = Object.entries(operation.requestBody?.content ?? {})[0] ?? [];
  if (!type) return [];
  const schema = resolved(content.schema, api);
  const rows = Object.entries(schema.properties).map(([name, value]) =>
    valueRow(name, value, (schema.required ?? []).includes(name), api),
  );
  return table(`Body, ${type}`, ["Name", "Type", "", "Meaning"], rows);
}

/** @param {Json} operation */
function answers(operation) {
  const rows = Object.entries(operation.responses).map(([status, response]) => {
    const slugs = Object.keys(response.content?.["application/problem+json"]?.examples ?? {});
    return [status, slugs.join(", ") || response.description];
  });
  return table("Answers", ["Status", "Meaning; for errors, the end of the type"], rows);
}

/**
 * @param {Json} operation
 * @param {Json} api
 */
function exampleAnswer(operation, api) {
  const schema = operation.responses["200"]?.content?.["application/json"]?.schema;
  const [example] = (schema && resolved(schema, api).examples) ?? [];
  if (!example) return [];
  return [el("h3", {}, "Example answer"), el("pre", { tabindex: 0 }, JSON.stringify(example, null, 2))];
}

/**
 * How to ask with curl.
 *
 * @param {string} method
 * @param {string} path
 * @param {Json} operation
 * @param {Json} api
 */
function curl(method, path, operation, api) {
  const url = new URL(path.slice(1).replace("{track_id}", "TRACK_ID"), document.baseURI);
  for (const p of operation.parameters ?? []) {
    if (p.required && p.in === "query") url.searchParams.set(p.name, p.name.toUpperCase());
  }
  const content = operation.requestBody?.content ?? {};
  const parts = [`curl '${url.href}'`];
  if (content["multipart/form-data"]) parts.push("-F file=@clip.mp3");
  if (content["application/json"]) {
    const [example] = resolved(content["application/json"].schema, api).examples ?? [{}];
    parts.push("-H 'Content-Type: application/json'", `-d '${JSON.stringify(example)}'`);
  }
  return el("pre", { tabindex: 0, "aria-label": `${method} ${path} with curl` }, parts.join(" \\\n  "));
}

/**
 * @param {string} method
 * @param {string} path
 * @param {Json} operation
 * @param {Json} api
 */
function section(method, path, operation, api) {
  const name = el("span", { class: "method" }, method);
  return el(
    "section",
    { class: "operation", id: operation.operationId },
    el("h2", {}, name, ` ${path}`),
    el("p", { class: "summary" }, operation.summary),
    el("p", { class: "description" }, operation.description),
    curl(method, path, operation, api),
    ...parameters(operation, api),
    ...body(operation, api),
    ...answers(operation),
    ...exampleAnswer(operation, api),
  );
}

/** @param {Json} api */
function draw(api) {
  for (const [path, methods] of Object.entries(api.paths)) {
    for (const [method, operation] of Object.entries(/** @type {Json} */ (methods))) {
      const shown = method.toUpperCase();
      const link = el("a", { href: `#${operation.operationId}` }, `${shown} ${path}`);
      byId("contents").append(el("code", {}, link));
      byId("operations").append(section(shown, path, operation, api));
    }
  }
}

async function start() {
  const main = byId("operations");
  try {
    const answer = await fetch("openapi.json");
    draw(await answer.json());
  } catch {
    main.append(el("p", { role: "alert" }, "The server does not answer. Load the page again."));
  }
  main.setAttribute("aria-busy", "false");
}

start();
