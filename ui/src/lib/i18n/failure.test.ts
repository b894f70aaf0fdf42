import { afterEach, expect, test } from "vitest";

import type { Exactly, Failure } from "../api";
import { failureWords } from "./failure";
import { speak } from "./index";

afterEach(() => speak("en"));

/** One of each kind; a kind that is missing does not compile. */
const every = {
  no_server: { kind: "no_server", name: "crm" },
  no_client: { kind: "no_client", name: "crm" },
  taken: { kind: "taken", name: "crm" },
  line: { kind: "line", line: 1700 },
  sign_in_first: { kind: "sign_in_first", name: "crm" },
  timed_out: { kind: "timed_out", name: "crm" },
  called_off: { kind: "called_off", name: "crm" },
  other_account: { kind: "other_account", name: "crm", before: "dana@example.com", now: "d@example.net" },
  not_shown: { kind: "not_shown", name: "crm" },
  said_no: { kind: "said_no", name: "crm", how: "refused" },
  port: { kind: "port", port: 41234 },
  other_program: { kind: "other_program", name: "crm" },
  connected_already: { kind: "connected_already", name: "crm" },
  left_alone: { kind: "left_alone", path: "/etc/x" },
  nobody_allowed: { kind: "nobody_allowed" },
} satisfies { [K in Exactly["kind"]]: Extract<Exactly, { kind: K }> };

const failure = (exactly?: Exactly): Failure => ({ code: "internal", text: "English words.", hint: "An English hint.", ...(exactly && { exactly }) });

test.each(Object.values(every))("$kind is said in German, with its names", (exactly) => {
  speak("de");
  const words = failureWords(failure(exactly));
  const { kind: _, ...said } = exactly;
  const names = Object.entries(said).filter(([name]) => name !== "how").map(([, value]) => value);
  for (const name of names) expect(words.text).toContain(String(name));
  expect(words.text).not.toMatch(/English|the /);
  expect(words.hint).not.toMatch(/English/);
});

test("what has no words of its own keeps the core's as a detail", () => {
  speak("de");
  expect(failureWords(failure())).toMatchObject({ text: "In Keybearer ist etwas schiefgegangen.", said: "English words." });
  expect(failureWords(failure(every.said_no)).said).toBe("English words.");
  expect(failureWords(failure(every.timed_out)).said).toBeUndefined();
});

test("English is the core's own sentence", () => {
  expect(failureWords(failure(every.taken))).toEqual({ text: "English words.", hint: "An English hint.", said: undefined });
});
