import { afterEach, expect, test } from "vitest";

import { catalogues, type Message } from "./catalogues";
import { languageFor, list, number, speak, t } from "./index";
import { clock, day, distance } from "./time";

afterEach(() => speak("en"));

/** Every message of a catalogue, by its key. */
function messages(catalogue: Record<string, Record<string, Message>>): Map<string, Message> {
  const entries = Object.entries(catalogue).flatMap(([part, messages]) =>
    Object.entries(messages).map(([name, message]): [string, Message] => [`${part}.${name}`, message]),
  );
  return new Map(entries);
}

const texts = (message: Message) => (typeof message === "string" ? [message] : Object.values(message));
const places = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name!);
const english = messages(catalogues.en);

test.each(Object.keys(catalogues))("%s says everything, and nothing else", (language) => {
  const said = messages(catalogues[language as keyof typeof catalogues]);
  expect([...said.keys()].sort()).toEqual([...english.keys()].sort());
});

test.each(Object.keys(catalogues))("%s fills the same places and has every number", (language) => {
  const numbers = new Intl.PluralRules(language).resolvedOptions().pluralCategories;
  for (const [key, message] of messages(catalogues[language as keyof typeof catalogues])) {
    const original = english.get(key)!;
    expect(new Set(texts(message).flatMap(places)), key).toEqual(new Set(texts(original).flatMap(places)));
    if (typeof message !== "string") expect(Object.keys(message).sort(), key).toEqual([...numbers].sort());
  }
});

test.each(Object.keys(catalogues))("%s keeps to the voice", (language) => {
  for (const [key, message] of messages(catalogues[language as keyof typeof catalogues])) {
    for (const text of texts(message)) {
      expect(text.trim(), key).toBe(text);
      expect(text, key).not.toBe("");
      expect(text, key).not.toMatch(/!|\b(please|oops|bitte)\b/i);
      expect(text.replace("/mcp", ""), key).not.toMatch(/\b(token|OAuth|MCP|endpoint|client id|grant|bearer)\b/i);
      // The informal way to address somebody.
      if (language === "de") expect(text, key).not.toMatch(/\b(du|dein|deine|deiner|dich|dir)\b/i);
    }
  }
});

test("the first wish that can be met decides the language", () => {
  expect(languageFor(["fr-FR", "de_AT.UTF-8", "en"])).toBe("de");
  expect(languageFor(["fr"])).toBe("en");
  expect(languageFor(["ar-XB"])).toBe("ar-XB");
  expect(languageFor([])).toBe("en");
});

test("numbers choose the form, and are written as in the language", () => {
  expect(t("home.headline_sign_in_to_many", { count: 1 })).toBe("Sign in to 1 tool");
  expect(t("home.headline_sign_in_to_many", { count: 1200 })).toBe("Sign in to 1,200 tools");
  speak("de");
  expect(t("home.headline_sign_in_to_many", { count: 2 })).toBe("Bei 2 Werkzeugen anmelden");
  expect(number(1200)).toBe("1.200");
  expect(list(["CRM", "Wiki", "Mail"])).toBe("CRM, Wiki und Mail");
});

test("what is filled in stays as it is", () => {
  expect(t("common.sign_in_to", { name: "{name} $& <b>" })).toBe("Sign in to {name} $& <b>");
});

test("a place that nothing fills is a mistake, not a gap", () => {
  expect(() => t("common.sign_in_to")).toThrow("{name}");
});

test("the pseudo-locales are longer, keep their places, and one runs from right to left", () => {
  speak("en-XA");
  expect(t("common.sign_in_to", { name: "CRM" })).toBe("[Sîgñ îñ tö CRM~~~~~~]");
  expect(document.documentElement).toHaveAttribute("dir", "ltr");
  speak("ar-XB");
  expect(document.documentElement).toHaveAttribute("dir", "rtl");
  expect(document.documentElement).toHaveAttribute("lang", "ar-XB");
});

test("times are words", () => {
  const now = new Date(2026, 10, 30, 17, 0);
  expect(clock(new Date(2026, 10, 30, 10, 42))).toMatch(/10:42\sAM/);
  expect(day(new Date(2026, 10, 30, 0, 5), now)).toBe("today");
  expect(day(new Date(2026, 10, 29, 23, 55), now)).toBe("yesterday");
  expect(day(new Date(2026, 10, 27), now)).toBe("Friday");
  expect(day(new Date(2025, 2, 12), now)).toBe("March 12, 2025");
  expect(distance(new Date(2026, 10, 30, 17, 20), now)).toBe("in 20 minutes");
  expect(distance(new Date(2026, 10, 30, 17, 0, 30), now)).toBe("just now");
  speak("de");
  expect(clock(new Date(2026, 10, 30, 10, 42))).toBe("10:42");
  expect(day(new Date(2026, 10, 27), now)).toBe("Freitag");
  expect(distance(new Date(2026, 10, 30, 14, 0), now)).toBe("vor 3 Stunden");
});
