/** No component holds a text of its own, nothing knows left from right, and only one file knows the shell. */
import { parse } from "svelte/compiler";
import { expect, test } from "vitest";

interface Node {
  type: string;
  [field: string]: unknown;
}

const components = Object.entries(import.meta.glob<string>("/src/**/*.svelte", { query: "?raw", import: "default", eager: true }));
const scripts = Object.entries(import.meta.glob<string>(["/src/**/*.ts", "!/src/**/*.test.ts"], { query: "?raw", import: "default", eager: true }));
const sheets = Object.entries(import.meta.glob<string>("/src/**/*.css", { query: "?raw", import: "default", eager: true }));

/** Attributes that a person reads or hears. */
const SPOKEN = new Set(["alt", "aria-label", "aria-description", "aria-roledescription", "aria-valuetext", "label", "placeholder", "title"]);

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && typeof (value as Node).type === "string";
}

function walk(node: Node, visit: (node: Node, parents: Node[]) => void, parents: Node[] = []) {
  visit(node, parents);
  for (const value of Object.values(node)) {
    for (const child of Array.isArray(value) ? value : [value]) if (isNode(child)) walk(child, visit, [...parents, node]);
  }
}

function literals(source: string): string[] {
  const found: string[] = [];
  const { fragment } = parse(source, { modern: true });
  walk(fragment as unknown as Node, (node, parents) => {
    const attribute = parents.findLast((parent) => parent.type === "Attribute");
    const isSpoken = !attribute || SPOKEN.has(String(attribute.name));
    if (node.type === "Text" && isSpoken && /\p{L}/u.test(String(node.data))) found.push(String(node.data).trim());
    // Words in an expression: a sentence, or a word that begins with a capital letter.
    const words = node.type === "Literal" ? node.value : undefined;
    if (isSpoken && typeof words === "string" && /^\p{Lu}|\p{L} \p{L}/u.test(words)) found.push(words);
  });
  return found;
}

test("the search finds what it is meant to find", () => {
  expect(literals(`<p class="a b">Hello</p><input title="Name" type="text"/>{x ? "Copied" : "copied"}`)).toEqual(["Hello", "Name", "Copied"]);
});

test.each(components)("%s takes its words from the catalogue", (_file, source) => {
  expect(literals(source)).toEqual([]);
});

test.each([...components, ...sheets])("%s knows no left and no right", (file, source) => {
  const styles = file.endsWith(".css") ? source : (/<style>([^]*)<\/style>/.exec(source)?.[1] ?? "");
  const physical = /(?:^|[\s;{])((?:margin|padding|border)-(?:left|right|top|bottom)|left|right|text-align:\s*(?:left|right)|float)\s*:/g;
  expect([...styles.matchAll(physical)].map(([, property]) => property)).toEqual([]);
});

test.each([...components, ...scripts])("%s shows no markup of others and knows no shell", (file, source) => {
  expect(source).not.toContain("{@html");
  if (!file.endsWith("lib/api.ts")) expect(source).not.toMatch(/@tauri-apps|\/bindings"/);
});
