/** What a person does on each page, and what the shell is asked for it. */
import { render, screen, waitFor, within } from "@testing-library/svelte";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";

import { call, clients, exchange } from "../dev/answers";
import { Shell } from "../dev/shell";
import { snapshot, states } from "../dev/states";
import type { Failure, View } from "../lib/api";
import App from "./App.svelte";
import type { Page } from "./pages";

function show(page: Page, view: View = states.needed, prepare: (shell: Shell) => void = () => {}) {
  const shell = new Shell(view);
  prepare(shell);
  return { shell, person: userEvent.setup(), ...render(App, { core: shell, open: page }) };
}

const refused: Failure = { code: "name_taken", text: "There is a “login” already.", hint: "Choose another name." };

test("the rail leads to every page and says where one is", async () => {
  const { person } = show("home");
  for (const [name, title] of [["Company tools", "Company tools"], ["Apps", "Apps"], ["Activity", "Activity"], ["Settings", "Settings"], ["About", "About"]] as const) {
    await person.click(within(screen.getByRole("navigation")).getByRole("button", { name }));
    expect(screen.getByRole("heading", { level: 1 })).toHaveTextContent(title);
    expect(screen.getByRole("button", { current: "page" })).toHaveTextContent(name);
  }
});

test("a tool is looked at before it is added, under a name made from its address", async () => {
  const { shell, person } = show("tools");
  await person.click(screen.getByRole("button", { name: "Add a company tool" }));
  expect(screen.getByLabelText("Address")).toHaveFocus();
  await person.keyboard("https://tickets.example.com/mcp{Enter}");
  expect(await screen.findByText("This is a company tool. You will sign in at login.example.com.")).toBeVisible();
  expect(screen.getByLabelText("Short name")).toHaveValue("tickets");
  await person.click(screen.getByRole("button", { name: "Add" }));
  expect(shell.asked).toContain("add tickets at https://tickets.example.com/mcp");
  expect(await screen.findByText("tickets is added.")).toBeVisible();
});

test("what cannot be a tool cannot be added, and what to do is said", async () => {
  const { person } = show("tools", states.needed, (shell) => (shell.answers.look = { kind: "foreign", status: 404 }));
  await person.click(screen.getByRole("button", { name: "Add a company tool" }));
  await person.keyboard("https://example.com{Enter}");
  expect(await screen.findByText(/no company tool \(answer 404\)/)).toBeVisible();
  expect(screen.queryByRole("button", { name: "Add" })).toBeNull();
  // Another address is another question.
  await person.type(screen.getByLabelText("Address"), "/mcp");
  expect(screen.queryByText(/answer 404/)).toBeNull();
});

test("a name that is taken stays to be changed", async () => {
  const { person } = show("tools", states.needed, (shell) => (shell.failing.addServer = refused));
  await person.click(screen.getByRole("button", { name: "Add a company tool" }));
  await person.keyboard("https://login.example.com/mcp{Enter}");
  await person.click(await screen.findByRole("button", { name: "Add" }));
  expect(await screen.findByRole("alert")).toHaveTextContent("There is a “login” already. Choose another name.");
  expect(screen.getByLabelText("Short name")).toHaveValue("login");
});

test("a tool shows what it offers and what each may do", async () => {
  const { shell, person } = show("tools");
  await person.click(screen.getByRole("button", { name: "Show tools of wiki" }));
  expect(shell.asked).toContain("tools of wiki");
  const tools = within(await screen.findByRole("list", { name: "Tools" })).getAllByRole("listitem");
  expect(tools[2]).toHaveTextContent("delete_account deletes");
  expect(within(tools[0]!).getByText("Looks for accounts by name or city.").tagName).toBe("Q");
});

test("a tool that waits for a sign-in is not asked", async () => {
  const { shell, person } = show("tools");
  await person.click(screen.getByRole("button", { name: "Show tools of crm" }));
  expect(screen.getByText("Sign in to see its tools.")).toBeVisible();
  expect(shell.asked).not.toContain("tools of crm");
});

test("removing asks first, and the safe answer has the focus", async () => {
  const { shell, person } = show("tools");
  await person.click(screen.getByRole("button", { name: "Show tools of wiki" }));
  await person.click(screen.getByRole("button", { name: "Remove wiki" }));
  expect(screen.getByRole("button", { name: "Keep" })).toHaveFocus();
  await person.keyboard("{Escape}");
  expect(shell.asked).not.toContain("remove wiki");
  await person.click(screen.getByRole("button", { name: "Remove wiki" }));
  await person.click(screen.getByRole("button", { name: "Remove" }));
  expect(shell.asked).toContain("remove wiki");
});

test("an app is connected as its preview said, and that can be undone", async () => {
  const { shell, person } = show("apps");
  await person.click(await screen.findByRole("button", { name: "Connect VS Code" }));
  expect(await screen.findByText(/mcp.json gets these lines/)).toBeVisible();
  expect(shell.asked).not.toContain("connect vscode seen");
  await person.click(screen.getByRole("button", { name: "Connect" }));
  expect(shell.asked).toContain("connect vscode seen");
  expect(await screen.findByText("VS Code is connected.")).toBeVisible();
  expect(screen.getByText("Restart VS Code.")).toBeVisible();
  await person.click(screen.getByRole("button", { name: "Undo" }));
  expect(shell.asked).toContain("disconnect vscode");
  expect(await screen.findByText(/mcp.json is as it was before/)).toBeVisible();
});

test("where an app runs decides what is shown", async () => {
  const { shell, person } = show("apps");
  await person.click(await screen.findByRole("button", { name: "Connect LibreChat" }));
  await person.selectOptions(await screen.findByLabelText("Where it runs"), "container");
  await waitFor(() => expect(shell.asked).toContain("preview librechat container"));
});

test("what an app may do is listed with its end, and taken back after a question", async () => {
  const { shell, person } = show("apps");
  const allowed = screen.getByRole("region", { name: "Allowed by you" });
  await within(allowed).findByRole("heading", { name: "Claude Desktop" });
  expect(within(allowed).getAllByRole("heading", { level: 3 }).map((heading) => heading.querySelector(".full")?.textContent)).toEqual(["A program that nobody can name", "Claude Desktop", "librechat"]);
  const row = within(allowed).getByText("use “update_account” in crm").closest("li")!;
  expect(row).toHaveTextContent(/until Claude Desktop closes, .* at the latest · as dana@example.com/);
  expect(within(allowed).getByText("connect to crm and see what it offers").closest("li")).toHaveTextContent("until you take it back");
  await person.click(within(row).getByRole("button", { name: "Take back from Claude Desktop: use “update_account” in crm" }));
  expect(screen.getByRole("button", { name: "Keep" })).toHaveFocus();
  expect(shell.asked).not.toContain("revoke permission 3");
  await person.click(within(row).getByRole("button", { name: "Take back" }));
  expect(shell.asked).toContain("revoke permission 3");
  // The core says what is left; whoever reads on does so at the list.
  shell.say({ ...states.needed, snapshot: { ...states.needed.snapshot, permissions: [] } });
  expect(await within(allowed).findByText(/Nothing that lasts/)).toBeVisible();
  expect(screen.getByRole("heading", { name: "Allowed by you" })).toHaveFocus();
});

test("a permission that could not be taken back stays, and why is said", async () => {
  const gone: Failure = { code: "unknown_permission", text: "There is no permission 3.", hint: "See the numbers." };
  const { person } = show("apps", states.needed, (shell) => (shell.failing.revokePermission = gone));
  await person.click(await screen.findByRole("button", { name: /^Take back from Claude Desktop: use/ }));
  await person.click(screen.getByRole("button", { name: "Take back" }));
  expect(await screen.findByRole("alert")).toHaveTextContent("There is no permission 3.");
});

test("messages are shown only while somebody looks, with secrets cut", async () => {
  const { shell, person, unmount } = show("activity");
  expect(shell.asked).not.toContain("inspect");
  await person.click(screen.getByRole("button", { name: "Look into messages" }));
  expect(shell.asked).toContain("inspect");
  shell.exchange(exchange);
  shell.happen({ ...call, seq: 200, exchange: exchange.number });
  shell.happen({ ...call, seq: 201, server: "wiki" });
  const [other, watched] = await waitFor(() => {
    const rows = screen.getAllByRole("button", { name: /used “find_account”/ });
    expect(rows.length).toBeGreaterThan(2);
    return rows;
  });
  await person.click(watched!);
  expect(screen.getByRole("region", { name: "Sent by the app" })).toHaveTextContent(/"password": "•••"/);
  expect(screen.getByRole("region", { name: "Sent by the app" })).toHaveTextContent("141 bytes · 1 secret cut");
  expect(screen.getByRole("region", { name: "Answered by the server (200)" })).toHaveTextContent("Initech, Berlin");
  expect(screen.getByText("authorization, cookie, user-agent")).toBeVisible();
  expect(screen.getByText("attached as “authorization”; its value is never shown")).toBeVisible();
  await person.click(other!);
  expect(screen.getByText(/it went before you began to look/)).toBeVisible();
  await person.click(screen.getByRole("button", { name: "Stop looking" }));
  expect(shell.asked).toContain("stop inspecting");
  expect(screen.queryByRole("region", { name: "Sent by the app" })).toBeNull();
  await person.click(screen.getByRole("button", { name: "Look into messages" }));
  unmount();
  expect(shell.asked.filter((asked) => asked === "stop inspecting")).toHaveLength(2);
});

test("what cannot be looked through is not shown, and a look that is refused says so", async () => {
  const refused: Failure = { code: "not_allowed", text: "Another Keybearer window shows the messages of calls already." };
  const { shell, person } = show("activity", states.needed, (shell) => (shell.failing.inspect = refused));
  await person.click(screen.getByRole("button", { name: "Look into messages" }));
  expect(await screen.findByRole("alert")).toHaveTextContent("shows the messages of calls already");
  delete shell.failing.inspect;
  await person.click(screen.getByRole("button", { name: "Look into messages" }));
  shell.exchange({ ...exchange, sent: { texts: [], bytes: 90_000, cut: 0, withheld: true }, got: { texts: [], bytes: 0, cut: 0, withheld: false } });
  shell.happen({ ...call, seq: 200, exchange: exchange.number });
  await waitFor(() => expect(screen.getAllByRole("button", { name: /used “find_account”/ }).length).toBeGreaterThan(1));
  await person.click(screen.getAllByRole("button", { name: /used “find_account”/ })[0]!);
  expect(screen.getByText(/90,000 bytes · a part cannot be looked through/)).toBeVisible();
  expect(screen.getByText("Nothing.")).toBeVisible();
});

test("a connected app says since when and what it may use, and can be cut off", async () => {
  const { shell, person } = show("apps");
  const script = within(screen.getByRole("list", { name: "Connected" })).getAllByRole("listitem").find((item) => item.textContent.includes("report-script"))!;
  expect(script).toHaveTextContent("May use crm and wiki");
  expect(script).toHaveTextContent("not seen yet");
  await person.click(within(script).getByRole("button", { name: "Remove report-script" }));
  await person.click(within(script).getByRole("button", { name: "Remove" }));
  expect(shell.asked).toContain("revoke report-script");
  await person.click(await screen.findByRole("button", { name: "Disconnect Claude Desktop" }));
  await person.click(screen.getByRole("button", { name: "Disconnect" }));
  expect(shell.asked).toContain("disconnect claude-desktop");
});

test("activity appears as it happens, the newest first", async () => {
  const { shell } = show("activity");
  shell.happen({ ...call, seq: 113, tool: "get_report" });
  const lines = await screen.findAllByRole("listitem");
  await waitFor(() => expect(within(screen.getByRole("list", { name: "Activity" })).getAllByRole("listitem")[0]).toHaveTextContent("used “get_report” in crm"));
  // What came already is not shown again.
  shell.happen(call);
  expect(within(screen.getByRole("list", { name: "Activity" })).getAllByRole("listitem").length).toBeLessThanOrEqual(lines.length);
});

test("activity is searched and narrowed, and what is found is counted", async () => {
  const { person } = show("activity");
  const lines = () => within(screen.getByRole("list", { name: "Activity" })).getAllByRole("listitem");
  await person.selectOptions(screen.getByLabelText("Show"), "denied");
  expect(lines()).toHaveLength(2);
  expect(lines()[0]).toHaveTextContent("librechat used “send_mail” in mail, which can send to others");
  expect(lines()[1]).toHaveTextContent("You did not allow librechat to use “send_mail” in mail");
  await person.selectOptions(screen.getByLabelText("Show"), "signins");
  expect(lines()).toHaveLength(4);
  await person.selectOptions(screen.getByLabelText("Show"), "all");
  await person.type(screen.getByLabelText("Search"), "WIKI page");
  expect(lines()).toHaveLength(1);
  expect(screen.getByText("1 entry")).toBeInTheDocument();
  await person.type(screen.getByLabelText("Search"), " nothing like it");
  await person.click(screen.getByRole("button", { name: "Show everything" }));
  expect(lines().length).toBeGreaterThan(5);
});

test("a record's details open in place, without the values", async () => {
  const { person } = show("activity");
  await person.click(screen.getAllByRole("button", { expanded: false })[0]!);
  expect(screen.getByText("name, city").tagName).toBe("Q");
  expect(screen.getByText("The values themselves are not recorded.")).toBeVisible();
  expect(screen.getByText("Rule 1 of your settings (config.toml, line 12)")).toBeVisible();
});

test("an activity that cannot be read says so", () => {
  show("activity", states.needed, (shell) => (shell.failing.activity = { code: "internal", text: "The audit trail cannot be read." }));
  expect(screen.getByRole("alert")).toHaveTextContent("The audit trail cannot be read.");
});

test("settings say where each value comes from", async () => {
  show("settings");
  const port = (await screen.findByText("41234")).closest("li")!;
  expect(port).toHaveTextContent("config.toml, line 3");
  expect(screen.getByText("In your keychain").closest("li")).toHaveTextContent("not set");
  expect(screen.getByText("from_a_newer_core")).toBeVisible();
});

test("all access is stopped with one click and allowed again with another", async () => {
  const { shell, person } = show("settings");
  await person.click(screen.getByRole("button", { name: "Stop all access" }));
  expect(shell.asked).toContain("stop access");
  shell.say(states.stopped);
  await person.click(await screen.findByRole("button", { name: "Allow access again" }));
  expect(shell.asked).toContain("resume access");
});

test("diagnostics can be copied and hold no account", async () => {
  const servers = [{ name: "crm", url: "https://crm.example.com/mcp?key=secret", auth: "oauth" as const, state: { kind: "signed_in" as const, saved: true }, account: "dana@example.com", shares_with: [] }];
  const { person } = show("about", { ...states.ready, snapshot: { ...snapshot, servers, clients } });
  await person.click(await screen.findByRole("button", { name: "Copy diagnostics" }));
  const copied = await navigator.clipboard.readText();
  expect(copied).toContain("tool crm: https://crm.example.com/mcp, oauth, signed_in");
  expect(copied).not.toMatch(/dana|secret|\/opt\//);
});

test("a desktop without a tray is told that the window is the way in", async () => {
  show("home", states.ready, (shell) => (shell.answers.about = { ...shell.answers.about, tray: false }));
  expect(await screen.findByText("This desktop shows no tray icon.")).toBeVisible();
});

test("the first run goes step by step and skips what is done", async () => {
  const fresh = { ...states.needed, snapshot: { ...snapshot } };
  const { shell } = show("home", fresh, (shell) => {
    shell.answers.records = [];
    shell.answers.apps = shell.answers.apps.filter((app) => !app.connection);
  });
  const signedOut = { ...fresh, home: { ...fresh.home, rows: [{ name: "crm", host: "crm.example.com", tone: "quiet" as const, state: "not_signed_in" as const, action: "sign_in" as const }] } };
  shell.say(signedOut);
  expect(await screen.findByText("Step 2 of 4")).toBeVisible();
  shell.say({ ...states.ready, snapshot: { ...snapshot } });
  expect(await screen.findByText("Step 3 of 4")).toBeVisible();
  await waitFor(() => expect(screen.getByText("2 apps on this computer can use Keybearer.")).toBeVisible());
  shell.say({ ...states.ready, snapshot: { ...snapshot, clients } });
  expect(await screen.findByText(/Its first request appears here/)).toBeVisible();
  shell.happen(call);
  await waitFor(() => expect(screen.queryByText(/Step 4/)).toBeNull());
});
