import { render, screen, waitFor, within } from "@testing-library/svelte";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";

import { records } from "../dev/answers";
import { Shell } from "../dev/shell";
import { states } from "../dev/states";
import type { View } from "../lib/api";
import App from "./App.svelte";
import type { Page } from "./pages";

function show(view: View, happened = records, open: Page = "home") {
  const shell = new Shell(view);
  shell.answers.records = happened;
  return { shell, person: userEvent.setup(), ...render(App, { core: shell, open }) };
}

const row = (name: string) => screen.getAllByRole("listitem").find((item) => within(item).queryAllByText(name).length > 0)!;

test("without a tool the first step is to add one", async () => {
  const { person } = show(states.empty, []);
  expect(screen.getByRole("heading", { level: 1 })).toHaveTextContent("No company tools yet");
  await person.click(screen.getByRole("button", { name: "Add a company tool" }));
  expect(screen.getByRole("heading", { level: 1 })).toHaveTextContent("Company tools");
});

test("every tool shows its host, account, state and one action", () => {
  show(states.ready, records, "tools");
  const wiki = row("wiki");
  expect(wiki).toHaveTextContent("wiki.example.com");
  expect(wiki).toHaveTextContent("dana@example.com");
  expect(wiki).toHaveTextContent("signed in");
  expect(within(wiki).getAllByRole("button").map((button) => button.getAttribute("aria-label"))).toEqual(["Sign out of wiki", "Show tools of wiki"]);
  expect(within(row("calendar")).getAllByRole("button")).toHaveLength(1);
});

test("signing in is asked of the shell, once", async () => {
  const { shell, person } = show(states.needed);
  expect(screen.getByRole("heading", { level: 1 })).toHaveTextContent("Sign in to crm");
  expect(row("crm")).toHaveTextContent(/Your sign-in ended .*\./);
  const button = screen.getByRole("button", { name: "Sign in to crm" });
  await person.dblClick(button);
  expect(shell.asked.filter((asked) => asked.startsWith("sign"))).toEqual(["sign in to crm"]);
  expect(button).toHaveAttribute("aria-disabled", "true");
  shell.end();
  await waitFor(() => expect(button).toHaveAttribute("aria-disabled", "false"));
});

test("signing out works by keyboard alone", async () => {
  const { shell, person } = show(states.ready, records, "tools");
  while (document.activeElement?.getAttribute("aria-label") !== "Sign out of wiki") await person.tab();
  await person.keyboard("{Enter}");
  expect(shell.asked.at(-1)).toBe("sign out of wiki");
});

test("a button that goes away leaves the focus at its row", async () => {
  const { shell } = show(states.needed);
  screen.getByRole("button", { name: "Sign in to crm" }).focus();
  const { action: _, ...crm } = states.needed.home.rows[0]!;
  const waiting = { ...crm, tone: "waiting" as const, state: "signing_in" as const };
  shell.say({ ...states.needed, home: { ...states.needed.home, rows: [waiting] } });
  await waitFor(() => expect(row("crm")).toHaveFocus());
});

test("a core that is gone can be started, and one that comes back is shown", async () => {
  const { shell, person } = show(states.away);
  expect(screen.getByRole("heading", { level: 1 })).toHaveTextContent("Keybearer is not running");
  await person.click(screen.getByRole("button", { name: "Start Keybearer" }));
  expect(shell.asked).toEqual(["start"]);
  shell.say(states.ready);
  expect(await screen.findByRole("heading", { name: "Ready" })).toBeVisible();
});

test("a start that fails says why", () => {
  show(states.broken_start);
  expect(screen.getByText(/ended at its start/)).toBeVisible();
});

test("what concerns the whole stands above the list", () => {
  show(states.every);
  const notices = within(screen.getAllByRole("list", { name: "Notices" })[0]!).getAllByRole("listitem");
  expect(notices.map((notice) => notice.textContent?.trim())).toEqual([
    "There is no keychain here, so sign-ins are kept in memory only. After a restart you will have to sign in again.",
    "Line 7: “sever” is not a setting. Did you mean “server”?",
  ]);
});

test("a failed request stands at its tool and is spoken", () => {
  show(states.every);
  expect(within(row("erp")).getByRole("alert")).toHaveTextContent("“erp” cannot be reached. Check your network.");
});

test("foreign text stays text", () => {
  const { container } = show(states.hostile);
  expect(container.querySelector("script, img")).toBeNull();
  expect(screen.getByText(/alert\(1\)/).tagName).toBe("Q");
});

test("the state is spoken when it changes", async () => {
  const { shell } = show(states.starting);
  shell.say(states.needed);
  await waitFor(() => expect(screen.getAllByRole("status").at(-1)).toHaveTextContent("Sign in to crm"));
});

test("turning off asks before a sign-in is lost, and the safe answer has the focus", async () => {
  const { shell, person } = show(states.losing);
  expect(screen.getByRole("heading", { level: 1 })).toHaveTextContent("Turn Keybearer off now?");
  expect(row("wiki")).toBeVisible();
  expect(screen.getByRole("button", { name: "Keep it on" })).toHaveFocus();
  await person.keyboard("{Enter}");
  await person.keyboard("{Escape}");
  await person.click(screen.getByRole("button", { name: "Turn off anyway" }));
  expect(shell.asked.filter((asked) => /keep|turn/.test(asked))).toEqual(["keep on", "keep on", "turn off anyway"]);
  await person.click(screen.getByRole("button", { name: "Apps" }));
  expect(shell.asked.at(-1)).toBe("keep on");
  shell.say(states.ready);
  expect(await screen.findByRole("heading", { level: 1, name: "Apps" })).toBeVisible();
});

test("a closed window stops watching", async () => {
  const { shell, unmount } = show(states.ready);
  unmount();
  await waitFor(() => expect(shell.asked).toEqual(expect.arrayContaining(["unwatch", "leave activity"])));
});
