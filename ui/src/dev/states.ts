/** Every state that the window can be in, for the eye (`npm run dev`, then /dev.html?state=NAME) and for tests. */
import type { Row, View } from "../lib/api";

const crm: Row = {
  name: "crm",
  host: "crm.example.com",
  tone: "attention",
  state: "sign-in needed",
  note: "Your sign-in ended on Friday.",
  action: "sign_in",
};
const wiki: Row = {
  name: "wiki",
  host: "wiki.example.com",
  account: "dana@example.com",
  tone: "good",
  state: "signed in",
  action: "sign_out",
};
const calendar: Row = { name: "calendar", host: "calendar.example.com", tone: "good", state: "ready" };

export const states = {
  starting: { kind: "starting" },
  away: { kind: "away" },
  broken_start: {
    kind: "away",
    notice: { tone: "attention", text: "Keybearer ended at its start (exit status: 5); see “/home/dana/.local/state/keybearer/core.log”." },
  },
  empty: { kind: "attached", home: { mark: { kind: "ready" }, headline: "No company tools yet", notices: [], rows: [] } },
  ready: {
    kind: "attached",
    home: { mark: { kind: "ready" }, headline: "Ready", notices: [{ tone: "quiet", text: "Sign-ins are kept in memory only, as your settings say." }], rows: [calendar, { ...wiki, name: "tickets", host: "tickets.example.com" }, wiki] },
  },
  needed: {
    kind: "attached",
    home: { mark: { kind: "sign_in", count: 1 }, headline: "Sign in to crm", notices: [], rows: [crm, calendar, wiki] },
  },
  every: {
    kind: "attached",
    home: {
      mark: { kind: "sign_in", count: 3 },
      headline: "Sign in to 2 tools",
      notices: [
        { tone: "attention", text: "There is no keychain here, so sign-ins are kept in memory only.", hint: "After a restart you will have to sign in again." },
        { tone: "attention", text: "Line 7: “sever” is not a setting.", hint: "Did you mean “server”?" },
      ],
      rows: [
        crm,
        { ...crm, name: "erp", host: "erp.example.com", failure: { tone: "attention", text: "“erp” cannot be reached.", hint: "Check your network." } },
        { ...wiki, name: "vault", host: "vault.example.com", tone: "danger", state: "refused", note: "vault does not accept your company sign-in. This is for your IT team:", quote: "HTTP 401 invalid_token: audience mismatch" },
        { name: "new", host: "new.example.com", tone: "quiet", state: "not signed in", action: "sign_in" },
        { name: "tickets", host: "tickets.example.com", tone: "waiting", state: "signing in", note: "Finish in your browser." },
        wiki,
      ],
    },
  },
  hostile: {
    kind: "attached",
    home: {
      mark: { kind: "ready" },
      headline: "1 of 2 tools ready",
      notices: [],
      rows: [
        {
          name: "quarterly-reports-of-the-whole-company-archive-48",
          host: "a-very-long-host-name-that-nobody-would-type-by-hand.internal.division.example-corporation.com:8443",
          account: '<img src=x onerror="document.title=1">@example.com',
          tone: "danger",
          state: "not reachable",
          note: "quarterly-reports-of-the-whole-company-archive-48 cannot be reached from here:",
          quote: "<script>alert(1)</script> " + "no route to host; ".repeat(15),
          action: "sign_out",
        },
        { ...wiki, account: "maximiliane-alexandrina.von-und-zu-hohenlohe-langenburg@subsidiary.example-corporation.com" },
      ],
    },
  },
  many: {
    kind: "attached",
    home: {
      mark: { kind: "ready" },
      headline: "Ready",
      notices: [],
      rows: Array.from({ length: 40 }, (_, n) => ({ ...wiki, name: `tool-${n + 1}`, host: `tool-${n + 1}.example.com` })),
    },
  },
} satisfies Record<string, View>;
