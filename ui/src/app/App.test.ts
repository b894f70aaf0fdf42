import { render, screen, waitFor, within } from "@testing-library/svelte";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";

import type { Core, View } from "../lib/api";
import { states } from "../dev/states";
import App from "./App.svelte";

/** A shell that says what it is told to say, and notes what it was asked. */
class Shell implements Core {
  readonly asked: string[] = [];
  private changed: (view: View) => void = () => {};
  private ended: () => void = () => {};

  constructor(private view: View) {}

  async watch(changed: (view: View) => void) {
    this.changed = changed;
    changed(this.view);
    return () => void this.asked.push("unwatch");
  }

  start = () => this.note("start");
  signIn = (server: string) => this.note(`sign in to ${server}`);
  signOut = (server: string) => this.note(`sign out of ${server}`);

  say(view: View) {
    this.changed(view);
  }

  end() {
    this.ended();
  }

  private note(asked: string): Promise<void> {
    this.asked.push(asked);
    return new Promise((ended) => (this.ended = ended));
  }
}

function show(view: View) {
  const shell = new Shell(view);
  return { shell, person: userEvent.setup(), ...render(App, { core: shell }) };
}

const row = (name: string) => screen.getAllByRole("listitem").find((item) => within(item).queryAllByText(name).length > 0)!;

test("without a server it says how to add one", async () => {
  const { person } = show(states.empty);
  expect(screen.getByRole("heading")).toHaveTextContent("No company tools yet");
  expect(screen.getByText("keybearer servers add crm https://crm.example.com/mcp")).toBeVisible();
  await person.click(screen.getByRole("button", { name: "Copy the command" }));
  expect(await navigator.clipboard.readText()).toBe("keybearer servers add crm https://crm.example.com/mcp");
  expect(screen.getByRole("button", { name: "Copy the command" })).toHaveTextContent("Copied");
});

test("every tool shows its host, account, state and one action", () => {
  show(states.ready);
  const wiki = row("wiki");
  expect(wiki).toHaveTextContent("wiki.example.com");
  expect(wiki).toHaveTextContent("dana@example.com");
  expect(wiki).toHaveTextContent("signed in");
  expect(within(wiki).getAllByRole("button")).toHaveLength(1);
  expect(within(row("calendar")).queryByRole("button")).toBeNull();
});

test("signing in is asked of the shell, once", async () => {
  const { shell, person } = show(states.needed);
  expect(screen.getByRole("heading")).toHaveTextContent("Sign in to crm");
  expect(row("crm")).toHaveTextContent("Your sign-in ended on Friday.");
  const button = screen.getByRole("button", { name: "Sign in to crm" });
  await person.dblClick(button);
  expect(shell.asked).toEqual(["sign in to crm"]);
  expect(button).toHaveAttribute("aria-disabled", "true");
  shell.end();
  await waitFor(() => expect(button).toHaveAttribute("aria-disabled", "false"));
});

test("signing out works by keyboard alone", async () => {
  const { shell, person } = show(states.needed);
  await person.tab();
  await person.tab();
  await person.keyboard("{Enter}");
  expect(shell.asked).toEqual(["sign out of wiki"]);
});

test("a button that goes away leaves the focus at its row", async () => {
  const { shell, person } = show(states.needed);
  await person.tab();
  const { action: _, ...crm } = states.needed.home.rows[0]!;
  const waiting = { ...crm, tone: "waiting" as const, state: "signing_in" as const };
  shell.say({ ...states.needed, home: { ...states.needed.home, rows: [waiting] } });
  await waitFor(() => expect(row("crm")).toHaveFocus());
});

test("a core that is gone can be started, and one that comes back is shown", async () => {
  const { shell, person } = show(states.away);
  expect(screen.getByRole("heading")).toHaveTextContent("Keybearer is not running");
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
  const notices = within(screen.getByRole("list", { name: "Notices" })).getAllByRole("listitem");
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
  await waitFor(() => expect(screen.getByRole("status")).toHaveTextContent("Sign in to crm"));
});

test("a closed window stops watching", async () => {
  const { shell, unmount } = show(states.ready);
  unmount();
  await waitFor(() => expect(shell.asked).toEqual(["unwatch"]));
});
