/** What the window says, in the person's language. The language is chosen once, when the window opens. */
import { catalogues, type Key, type Message } from "./catalogues";
import { disguise, type Pseudo } from "./pseudo";

export type { Key } from "./catalogues";

/** A language of ours, or one that exists to try the window: longer words, or words from right to left. */
export type Language = keyof typeof catalogues | Pseudo;

type Values = Record<string, string | number>;

/** Languages that are written from right to left, should one be added; the pseudo-locale stands for them. */
const RIGHT_TO_LEFT = new Set(["ar", "fa", "he", "ur"]);

let spoken: Language = "en";
let rules = new Intl.PluralRules("en");

/** The language for the first wish that can be met, else English. */
export function languageFor(wishes: readonly string[]): Language {
  for (const wish of wishes) {
    if (wish === "en-XA" || wish === "ar-XB") return wish;
    const base = wish.toLowerCase().split(/[-_]/)[0];
    if (base === "en" || base === "de") return base;
  }
  return "en";
}

/** Speaks this language from now on; the document knows it, too. */
export function speak(chosen: Language): void {
  spoken = chosen;
  rules = new Intl.PluralRules(formats());
  document.documentElement.lang = chosen;
  document.documentElement.dir = RIGHT_TO_LEFT.has(chosen.split("-")[0] ?? "") ? "rtl" : "ltr";
}

/** The language that is spoken now. */
export function language(): Language {
  return spoken;
}

/** What `Intl` formats numbers and times by. */
export function formats(): string {
  return spoken === "de" ? "de" : "en";
}

/** A sentence with its places filled: `{name}` by `values.name`; where it depends on a number, by `values.count`. */
export function t(key: Key, values: Values = {}): string {
  return fill(messageOf(key), values);
}

/** Whether there is a sentence of this name: for names that are made from what the core says. */
export function has(key: string): key is Key {
  return lookUp(catalogues.en, key) !== undefined;
}

function messageOf(key: Key): Message {
  switch (spoken) {
    case "en":
    case "de":
      return lookUp(catalogues[spoken], key) ?? key;
    case "en-XA":
    case "ar-XB":
      return disguise(lookUp(catalogues.en, key) ?? key, spoken);
    default:
      return spoken satisfies never;
  }
}

function lookUp(catalogue: Record<string, Record<string, Message>>, key: string): Message | undefined {
  const dot = key.indexOf(".");
  const part = catalogue[key.slice(0, dot)];
  const name = key.slice(dot + 1);
  return part && Object.hasOwn(part, name) ? part[name] : undefined;
}

function fill(message: Message, values: Values): string {
  const text = typeof message === "string" ? message : (message[rules.select(Number(values.count))] ?? message.other ?? "");
  // In one pass: what is filled in may itself contain braces, and stays as it is.
  return text.replace(/\{(\w+)\}/g, (place, name: string) => {
    const value = values[name];
    if (value === undefined) throw new Error(`nothing for ${place} in “${text}”`);
    return typeof value === "number" ? number(value) : value;
  });
}

/** A whole number as it is written in the person's language. */
export function number(value: number): string {
  return new Intl.NumberFormat(formats()).format(value);
}

/** Names in one line: “CRM, Wiki and Tickets”. */
export function list(names: string[]): string {
  return new Intl.ListFormat(formats(), { type: "conjunction" }).format(names);
}
