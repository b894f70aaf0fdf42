import { afterEach, expect, test } from "vitest";

import { call, everyEvent } from "../../dev/answers";
import type { ActivityRecord } from "../../lib/api";
import { speak, t } from "../../lib/i18n";
import { basisOf, isOf, kinds, lineOf } from "./words";

afterEach(() => speak("en"));

/** Every word of a closed set, kept whole by the compiler. */
const all = <T extends string>(words: Record<T, true>) => Object.keys(words) as T[];
const answers = all<NonNullable<ActivityRecord["answer"]>>({ deny: true, once: true, session: true, today: true, always: true, other: true });
const bases = all<NonNullable<ActivityRecord["basis"]>>({ rule: true, registered_client: true, person: true, permission: true, no_rule: true, nobody_to_ask: true, no_answer: true, too_many_questions: true, other_servers: true, stopped: true, other: true });
const matters = all<NonNullable<ActivityRecord["matter"]>>({ connect: true, call: true, add_server: true, add_client: true, other: true });
const event = (kind: ActivityRecord["event"], more: Partial<ActivityRecord> = {}) => ({ ...everyEvent.find((record) => record.event === kind)!, ...more });

test.each(["en", "de"] as const)("%s: every event that the core writes has words of its own", (language) => {
  speak(language);
  const said = everyEvent.map((record) => lineOf(record).what);
  expect(new Set(said).size).toBe(everyEvent.length);
  expect(said.filter((words) => words === t("activity.other"))).toHaveLength(1);
});

test.each(["en", "de"] as const)("%s: every answer, matter and basis has words of its own", (language) => {
  speak(language);
  const distinct = (words: (string | undefined)[]) => expect(new Set(words).size).toBe(words.length);
  distinct(answers.map((answer) => lineOf(event("answered", { answer })).what));
  distinct(matters.map((matter) => lineOf(event("permission_given", { matter })).what));
  distinct(bases.map((basis) => basisOf({ ...call, basis })));
});

test("what a person decided reads like a sentence", () => {
  expect(lineOf(event("answered")).what).toBe("You did not allow librechat to use “send_mail” in mail");
  expect(lineOf(event("answered", { answer: "session" })).what).toBe("You allowed librechat to use “send_mail” in mail, until it closes");
  expect(lineOf(event("answered", { matter: "add_client", what: "add_client report-script", answer: "once" })).what).toBe("You allowed librechat to connect an app: report-script, once");
  speak("de");
  expect(lineOf(event("answered")).what).toBe("Sie haben entschieden: librechat darf nicht „send_mail“ in mail benutzen");
  expect(lineOf(event("permission_ended")).what).toBe("claude-desktop darf nicht mehr ohne Frage: sich mit crm verbinden");
  expect(basisOf(call)).toBe("Regel 1 Ihrer Einstellungen (config.toml, Zeile 12)");
});

test("every event can be found under the kind that a person looks for", () => {
  const found = (kind: (typeof kinds)[number]) => everyEvent.filter((record) => isOf(record, kind)).map((record) => record.event);
  expect(found("permissions")).toEqual(["answered", "answer_refused", "prompter_attached", "prompter_refused", "permission_given", "permission_ended"]);
  expect(found("signins")).toEqual(["sign_in", "sign_in_ends", "sign_out", "renewed"]);
  expect(found("denied")).toEqual(["answered"]);
});

test("what the transport alone says is said in words", () => {
  const { tool: _, risk: _risk, ...message } = call;
  expect(lineOf({ ...message, method: "GET" }).what).toBe("listened for news from crm");
  expect(lineOf({ ...message, method: "DELETE" }).what).toBe("disconnected from crm");
});
