/** Every state that the window can be in, for the eye (`npm run dev`, then /dev.html?state=NAME) and for tests. */
import type { Failure, Home, Row, Snapshot, View } from "../lib/api";
import { clients, permissions } from "./answers";

const crm: Row = {
  name: "crm",
  host: "crm.example.com",
  tone: "attention",
  state: "sign_in_needed",
  because: { why: "ended", at: "2026-11-27T09:00:00Z" },
  action: "sign_in",
};
const wiki: Row = {
  name: "wiki",
  host: "wiki.example.com",
  account: "dana@example.com",
  tone: "good",
  state: "signed_in",
  action: "sign_out",
};
const calendar: Row = { name: "calendar", host: "calendar.example.com", tone: "good", state: "ready" };

const unreachable: Failure = { code: "unreachable", text: "“erp” cannot be reached.", hint: "Check your network." };
const misspelt: Failure = { code: "broken_config", text: "Line 7: “sever” is not a setting.", hint: "Did you mean “server”?" };

export const snapshot: Snapshot = {
  version: "0.1.0",
  pid: 4242,
  servers: [],
  clients: [],
  permissions: [],
  key_store: "system",
  http_door: { kind: "closed" },
  container_door: { kind: "closed" },
  stopped: false,
  problems: [],
};

function attached(home: Partial<Home>, more: Partial<Snapshot> = {}): View & { kind: "attached" } {
  return { kind: "attached", home: { mark: { kind: "ready" }, headline: { kind: "ready" }, notices: [], rows: [], losing: [], ...home }, snapshot: { ...snapshot, ...more } };
}

export const states = {
  starting: { kind: "starting" },
  away: { kind: "away" },
  broken_start: {
    kind: "away",
    failure: { code: "no_core", text: "Keybearer ended at its start (exit status: 5); see “/home/dana/.local/state/keybearer/core.log”." },
  },
  empty: attached({ headline: { kind: "no_tools" } }),
  ready: attached({
    notices: [{ kind: "memory_by_choice" }],
    rows: [calendar, { ...wiki, name: "tickets", host: "tickets.example.com" }, wiki],
  }),
  needed: attached(
    {
      mark: { kind: "sign_in", count: 1 },
      headline: { kind: "sign_in_to", name: "crm" },
      rows: [crm, calendar, wiki],
    },
    { clients, permissions },
  ),
  losing: attached({ rows: [{ ...wiki, state: "signed_in_not_saved" }, calendar], losing: ["wiki"] }),
  losing_more: attached({ rows: [{ ...wiki, state: "signed_in_not_saved" }], losing: ["wiki", "quarterly-reports-of-the-whole-company-archive-48", "crm"] }),
  stopped: attached({ mark: { kind: "blocked" }, headline: { kind: "stopped" }, rows: [wiki] }, { stopped: true, clients }),
  every: attached({
    mark: { kind: "sign_in", count: 3 },
    headline: { kind: "sign_in_to_many", count: 2 },
    notices: [{ kind: "memory_for_want" }, { kind: "problem", failure: misspelt }],
    rows: [
      crm,
      { ...crm, name: "erp", host: "erp.example.com", because: { why: "never_signed_in" }, failure: unreachable },
      { ...crm, name: "mail", host: "mail.example.com", because: { why: "account_changed", before: "dana@example.com", now: "d.private@example.net" } },
      { ...crm, name: "forms", host: "forms.example.com", because: { why: "failed", how: "declined", detail: "access_denied: the administrator has not approved this" } },
      { ...crm, name: "files", host: "files.example.com", because: { why: "not_kept" } },
      { ...wiki, name: "safe", host: "safe.example.com", tone: "attention", state: "keychain_locked", quote: "prompt dismissed" },
      { ...wiki, name: "vault", host: "vault.example.com", tone: "danger", state: "refused", quote: "HTTP 401 invalid_token: audience mismatch" },
      { name: "new", host: "new.example.com", tone: "quiet", state: "not_signed_in", action: "sign_in" },
      { name: "notes", host: "notes.example.com", tone: "quiet", state: "not_used" },
      { name: "tickets", host: "tickets.example.com", tone: "waiting", state: "signing_in" },
      { ...wiki, name: "travel", host: "travel.example.com", tone: "attention", action: "sign_in", ends: { at: "2026-11-30T17:00:00Z", by: "issuer" } },
      { ...wiki, name: "reports", host: "reports.example.com", tone: "attention", action: "sign_in", ends: { at: "2026-11-30T17:00:00Z", by: "experience" } },
      { ...wiki, name: "short", host: "short.example.com", state: "signed_in_not_saved" },
      wiki,
    ],
  }),
  hostile: attached({
    headline: { kind: "some_ready", ready: 1, all: 2 },
    rows: [
      {
        name: "quarterly-reports-of-the-whole-company-archive-48",
        host: "a-very-long-host-name-that-nobody-would-type-by-hand.internal.division.example-corporation.com:8443",
        account: '<img src=x onerror="document.title=1">@example.com',
        tone: "danger",
        state: "unreachable",
        quote: "<script>alert(1)</script> " + "no route to host; ".repeat(15),
        action: "sign_out",
      },
      { ...wiki, account: "maximiliane-alexandrina.von-und-zu-hohenlohe-langenburg@subsidiary.example-corporation.com" },
    ],
  }),
  many: attached({
    rows: Array.from({ length: 40 }, (_, n) => ({ ...wiki, name: `tool-${n + 1}`, host: `tool-${n + 1}.example.com` })),
  }),
} satisfies Record<string, View>;
