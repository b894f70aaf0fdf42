import { render, screen, waitFor, within } from "@testing-library/svelte";
import userEvent from "@testing-library/user-event";
import axe from "axe-core";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

import type { Answer, Prompter, Prompts } from "../../lib/api";
import { speak } from "../../lib/i18n";
import { ARMING } from "./Prompt.svelte";
import PromptsPage from "./Prompts.svelte";
import { samples } from "./samples";

/** A shell that says what it is told to say, and notes what it was asked. */
class Shell implements Prompter {
  readonly asked: string[] = [];
  refuses: unknown;
  private changed: (prompts: Prompts) => void = () => {};

  constructor(private prompts: Prompts) {}

  async watch(changed: (prompts: Prompts) => void) {
    this.changed = changed;
    changed(this.prompts);
    return () => void this.asked.push("unwatch");
  }

  answer = (question: string, answer: Answer) => this.note(`${question}: ${answer.say}${"lasting" in answer ? ` ${answer.lasting}` : ""}`);
  moreTime = (question: string) => this.note(`${question}: more time`);
  fit = async () => {};

  say(prompts: Prompts) {
    this.changed(prompts);
  }

  private async note(asked: string) {
    if (this.refuses !== undefined) throw this.refuses;
    this.asked.push(asked);
  }
}

beforeEach(() => void vi.useFakeTimers({ shouldAdvanceTime: true }));
afterEach(() => {
  vi.useRealTimers();
  speak("en");
});

async function show(prompts: Prompts) {
  const shell = new Shell(prompts);
  const person = userEvent.setup({ advanceTimers: (ms) => void vi.advanceTimersByTime(ms) });
  const page = render(PromptsPage, { prompter: shell });
  await screen.findByRole("heading");
  return { shell, person, ...page };
}

const arm = () => vi.advanceTimersByTimeAsync(ARMING);
const button = (name: string) => screen.getByRole("button", { name });

test("it says who wants what with which details, and for how long a yes may count", async () => {
  await show(samples.update);
  expect(screen.getByRole("heading")).toHaveTextContent("Claude Desktop");
  expect(screen.getByText("wants to change data in crm")).toBeVisible();
  expect(screen.getByText("update_account").tagName).toBe("Q");
  expect(screen.getByText("as dana@example.com")).toBeVisible();
  expect(screen.getByText('"m.bolton"')).toBeVisible();
  expect(screen.getByText(/Publisher not known · started at .* by gnome-shell/)).toBeVisible();
  const choices = screen.getAllByRole("radio").map((radio) => radio.closest("label")?.textContent?.trim());
  expect(choices).toEqual(["once", "until Claude Desktop closes", "today", "always"]);
  expect(screen.getByRole("radio", { name: "once" })).toBeChecked();
});

test("the safe answer has the focus, and counts only once it could be read", async () => {
  const { shell, person } = await show(samples.update);
  expect(button("Don't allow")).toHaveFocus();
  await person.keyboard("{Enter}");
  await person.click(button("Allow"));
  expect(shell.asked).toEqual([]);
  await arm();
  await person.keyboard("{Escape}");
  await person.click(button("Don't allow"));
  expect(shell.asked).toEqual(["q3: deny", "q3: deny"]);
});

test("the keyboard alone chooses and allows", async () => {
  const { shell, person } = await show(samples.update);
  await arm();
  await person.tab({ shift: true });
  expect(button("Allow")).toHaveFocus();
  await person.tab({ shift: true });
  expect(button("More time")).toHaveFocus();
  await person.keyboard("{Enter}");
  await person.tab({ shift: true });
  expect(screen.getByRole("radio", { name: "once" })).toHaveFocus();
  await person.keyboard("{ArrowDown}");
  await person.tab();
  await person.tab();
  await person.keyboard("{Enter}");
  expect(shell.asked).toEqual(["q3: more time", "q3: allow session"]);
});

test("another question begins anew: nothing is chosen, nothing counts yet, the safe answer has the focus", async () => {
  const { shell, person } = await show(samples.update);
  await arm();
  await person.click(screen.getByRole("radio", { name: "always" }));
  shell.say(samples.unregistered);
  await screen.findByText(/not connected by you/);
  expect(button("Don't allow")).toHaveFocus();
  expect(screen.getByRole("radio", { name: "once" })).toBeChecked();
  await person.click(button("Allow"));
  expect(shell.asked).toEqual([]);
  await arm();
  await person.click(button("Allow"));
  expect(shell.asked).toEqual(["q5: allow once"]);
});

test("what changes around a question takes nothing from it", async () => {
  const { shell, person } = await show(samples.update);
  await arm();
  await person.click(screen.getByRole("radio", { name: "today" }));
  shell.say({ ...samples.update, waiting: 2 });
  await screen.findByText("2 more questions wait behind this one.");
  expect(screen.getByRole("radio", { name: "today" })).toBeChecked();
  await person.click(button("Allow"));
  expect(shell.asked).toEqual(["q3: allow today"]);
});

test("the time runs down, and can be made longer where the core says so", async () => {
  const { shell } = await show(samples.update);
  expect(screen.getByRole("timer")).toHaveTextContent(/Not allowed in 4[45] s/);
  await vi.advanceTimersByTimeAsync(40_000);
  expect(screen.getByRole("timer")).toHaveTextContent(/Not allowed in [45] s/);
  shell.say({ questions: [{ ...samples.update.questions[0]!, left_ms: 50_000, more_time: false }], waiting: 0 });
  await waitFor(() => expect(screen.getByRole("timer")).toHaveTextContent(/Not allowed in (50|49) s/));
  expect(screen.queryByRole("button", { name: "More time" })).toBeNull();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(screen.getByRole("timer")).toHaveTextContent("Not allowed: no answer in time");
});

test("an answer that the core does not count is told, and nothing is said to be allowed", async () => {
  const { shell, person } = await show(samples.update);
  await arm();
  shell.refuses = { code: "not_answered", message: "…" };
  await person.click(button("Allow"));
  expect(await screen.findByRole("alert")).toHaveTextContent("That did not count");
  shell.refuses = { code: "no_core", message: "…" };
  await person.click(button("Allow"));
  await waitFor(() => expect(screen.getByRole("alert")).toHaveTextContent("Nothing was allowed."));
});

test("a program that cannot be named has no name and no icon, and its path in full", async () => {
  const { container } = await show(samples.weak);
  expect(screen.getByRole("heading")).toHaveTextContent("An app that we cannot name");
  expect(screen.getByText(/Only allow it if you just started something yourself/)).toBeVisible();
  expect(screen.getByText("/usr/bin/node").tagName).toBe("Q");
  expect(container.querySelector(".tile")).toBeNull();
  expect(screen.queryAllByRole("radio")).toEqual([]);
});

test("many details are few until all are wanted", async () => {
  const { person } = await show(samples.many);
  const list = () => screen.getByLabelText("With these details");
  expect(within(list()).getAllByRole("term")).toHaveLength(4);
  expect(screen.getByText("and 34 more that are not shown")).toBeVisible();
  expect(screen.getByText("4 more questions wait behind this one.")).toBeVisible();
  await person.click(button("Show all"));
  expect(within(list()).getAllByRole("term")).toHaveLength(30);
  await person.click(button("Show less"));
  expect(within(list()).getAllByRole("term")).toHaveLength(4);
});

test("sec_55 foreign text stays text", async () => {
  const { container, person } = await show(samples.hostile);
  expect(container.querySelector("img, script, a, b")).toBeNull();
  expect(screen.getByText(/10,000 characters/)).toBeVisible();
  await person.click(button("Show all"));
  expect(container.querySelector("img, script, a, b")).toBeNull();
  for (const quoted of container.querySelectorAll("q, .value")) expect(quoted.children).toHaveLength(0);
});

test("a server and an app are asked about in words of their own", async () => {
  const { shell } = await show(samples.addServer);
  expect(screen.getByText("wants to add company tools: notes")).toBeVisible();
  expect(screen.getByText("https://notes.example.com/mcp").tagName).toBe("Q");
  shell.say(samples.addClient);
  expect(await screen.findByText("wants to connect an app: note-app")).toBeVisible();
  expect(screen.getByText(/notes, wiki/)).toBeVisible();
  expect(screen.getByText("/opt/note-app/note-app").tagName).toBe("Q");
});

test("it speaks German", async () => {
  speak("de");
  await show(samples.update);
  expect(screen.getByText("möchte Daten in crm ändern")).toBeVisible();
  expect(button("Nicht erlauben")).toHaveFocus();
});

test.each(Object.keys(samples))("%s can be used by everybody", async (name) => {
  const { container } = await show(samples[name as keyof typeof samples]);
  vi.useRealTimers();
  // jsdom draws nothing: contrast is tested where the colours are.
  const found = await axe.run(container, { rules: { "color-contrast": { enabled: false }, region: { enabled: false } } });
  expect(found.violations.map((violation) => `${violation.id}: ${violation.help}`)).toEqual([]);
});

test.each(["en-XA", "ar-XB"] as const)("in %s every word comes from the catalogue", async (language) => {
  speak(language);
  const { container } = await show(samples.update);
  for (const label of container.querySelectorAll("button, #allow-for, label span")) expect(label.textContent).toMatch(/^\u200f?\[.*\]$/);
});

test("a closed window stops watching", async () => {
  const { shell, unmount } = await show(samples.update);
  unmount();
  await waitFor(() => expect(shell.asked).toEqual(["unwatch"]));
});
