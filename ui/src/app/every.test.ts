/** Every page in every state, in every language, and with text that plays tricks: nothing breaks, nothing is English that should not be, and axe finds nothing. */
import { render, screen } from "@testing-library/svelte";
import axe from "axe-core";
import { afterEach, expect, test } from "vitest";

import * as answers from "../dev/answers";
import { Shell } from "../dev/shell";
import { states } from "../dev/states";
import type { ActivityRecord, View } from "../lib/api";
import { speak, type Language } from "../lib/i18n";
import App from "./App.svelte";
import { pages, type Page } from "./pages";

afterEach(() => speak("en"));

const views = Object.entries(states) as [string, View][];
const cases = views.flatMap(([name, view]) => pages.map((page): [Page, string, View] => [page, name, view]));

async function show(page: Page, shell: Shell) {
  const shown = render(App, { core: shell, open: page });
  await settled();
  return shown;
}

/** Everything that was asked is answered and drawn. */
async function settled() {
  for (let turn = 0; turn < 5; turn++) await new Promise((done) => setTimeout(done));
}

async function check(container: Element) {
  // jsdom lays nothing out, so colours are checked by the tokens' own test.
  const { violations } = await axe.run(container, { rules: { "color-contrast": { enabled: false }, region: { enabled: false } } });
  expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(" ")}`)).toEqual([]);
}

test.each(cases)("%s, %s: accessible", async (page, _name, view) => {
  const { container } = await show(page, new Shell(view));
  expect(screen.getAllByRole("heading", { level: 1 })).toHaveLength(1);
  await check(container);
});

/** What others say may stay as it is: names, addresses, versions, and what is marked as foreign or English. */
function ownWords(container: Element): string {
  const copy = container.cloneNode(true) as Element;
  for (const foreign of copy.querySelectorAll("q, bdi, pre, [lang=en], [dir=ltr], .middle, time[title]")) foreign.remove();
  return copy.textContent;
}

test.each(cases)("%s, %s: every word is the catalogue's", async (page, _name, view) => {
  speak("en-XA");
  const { container } = await show(page, new Shell(view));
  // What the catalogue says has accents or tildes around; what is filled in does not count.
  const words = ownWords(container).replaceAll(/\[[^\]]*\]/g, " ");
  expect(words.match(/[A-Za-z]{3,}/g) ?? []).toEqual([]);
});

test.each(["de", "ar-XB"] as Language[])("%s: every page is drawn", async (language) => {
  speak(language);
  for (const page of pages) {
    const { container, unmount } = await show(page, new Shell(states.every));
    expect(container.querySelector("h1")?.textContent?.trim()).toBeTruthy();
    await check(container);
    unmount();
  }
});

const TRICKS = ["\u202eevil\u202c", "in\u200bvi\u2060sible", "x".repeat(10_000), '<img src=x onerror="alert(1)">', "{name}", "] ' \" & < >"];

test.each(TRICKS.map((trick) => [trick.slice(0, 24), trick]))("%s as every name harms nothing", async (_shown, trick) => {
  const record: ActivityRecord = { ...answers.call, client: trick, server: trick, tool: trick, reason: trick, arguments: [trick], headers: [trick], program: trick, started_by: [trick], exchange: answers.exchange.number };
  const server = { name: "crm", url: `https://crm.example.com/${encodeURI(trick)}`, auth: "oauth" as const, state: { kind: "signed_in" as const, saved: true }, issuer: trick, shares_with: [trick] };
  const row = { name: "crm", host: trick, account: trick, tone: "good" as const, state: "signed_in" as const, action: "sign_out" as const };
  const failure = { code: "internal" as const, text: trick, hint: trick };
  const view: View = {
    kind: "attached",
    home: { mark: { kind: "ready" }, headline: { kind: "sign_in_to", name: trick }, notices: [{ kind: "problem", failure }], rows: [row, { ...row, name: "erp", quote: trick, tone: "danger", state: "refused", failure }], losing: [] },
    snapshot: { ...states.ready.snapshot, servers: [server], clients: [{ ...answers.clients[0]!, name: trick }], permissions: [{ ...answers.permissions[0]!, holder: trick, program: trick, server: trick, what: trick, account: trick }], problems: [{ code: "internal", message: trick }] },
  };
  for (const page of pages) {
    const shell = new Shell(view);
    shell.answers.records = [record];
    shell.answers.exchanges = [{ ...answers.exchange, came: [trick], stripped: [trick], credential: trick, sent: { ...answers.exchange.sent, texts: [trick] } }];
    shell.answers.tools = [{ name: trick, title: trick, description: trick, risk: "change" }];
    shell.answers.apps = [{ ...answers.apps[1]!, name: trick, file: trick }];
    shell.answers.settings = { ...answers.settings, file: trick, settings: [{ name: trick, value: trick, source: { kind: "default" } }] };
    shell.answers.about = { ...answers.about, system: trick };
    const { container, unmount } = await show(page, shell);
    screen.queryByRole("button", { name: "Look into messages" })?.click();
    for (const button of screen.queryAllByRole("button", { expanded: false })) button.click();
    await settled();
    expect(container.querySelector("img, script")).toBeNull();
    expect(container.querySelector("h1")).not.toBeNull();
    unmount();
  }
  const { container } = await show("home", new Shell({ ...view, home: { ...view.home, losing: [trick] } }));
  expect(container.querySelector("img, script")).toBeNull();
  expect(screen.getByRole("button", { name: "Turn off anyway" })).toBeVisible();
});
