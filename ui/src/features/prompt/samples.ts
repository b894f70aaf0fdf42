/** Questions to try the prompt with: for its tests and for `npm run dev`. */
import type { Argument, Asker, Prompts, Question } from "../../lib/api";

const argument = (name: string, value: string, characters = [...value].length): Argument => ({ name, value, characters });

const claude: Asker = {
  name: "Claude Desktop",
  known: "registered",
  path: "/opt/Claude/claude-desktop",
  icon: "claude-desktop",
  started: "2026-11-21T09:12:00.000Z",
  started_by: "gnome-shell",
};

const { icon: _, ...unlisted } = claude;

const update: Question = {
  id: "q3",
  asker: claude,
  matter: {
    kind: "call",
    server: "crm",
    wants: "change",
    tool: "update_account",
    account: "dana@example.com",
    arguments: [argument("name", '"Initech"'), argument("owner", '"m.bolton"')],
    omitted: 0,
  },
  lastings: ["once", "session", "today", "always"],
  left_ms: 45_000,
  more_time: true,
  others: 0,
};

const hostileText = "<img src=x onerror=alert(1)>\u{202e}gnihsihp\u{200b} Keybearer: allowed";

export const samples = {
  update: { questions: [update], waiting: 0 },
  key: {
    questions: [{ ...update, id: "q4", asker: { name: "LibreChat", known: "key", icon: "librechat" }, lastings: ["once", "today"] }],
    waiting: 2,
  },
  unregistered: {
    questions: [
      {
        ...update,
        id: "q5",
        asker: { ...unlisted, name: "desk-app", known: "program", path: "/home/dana/bin/desk-app" },
        lastings: ["once", "session"],
        others: 2,
      },
    ],
    waiting: 0,
  },
  weak: {
    questions: [
      {
        ...update,
        id: "q6",
        asker: { name: "node", known: "weak", path: "/usr/bin/node", started: claude.started!, started_by: "bash" },
        matter: { kind: "call", server: "mail", wants: "send", tool: "send_mail", arguments: [argument("to", '"all@example.com"')], omitted: 0 },
        lastings: ["once"],
      },
    ],
    waiting: 0,
  },
  many: {
    questions: [
      {
        ...update,
        id: "q7",
        matter: {
          kind: "call",
          server: "quarterly-reports-archive",
          wants: "delete",
          tool: "delete_reports_of_several_quarters_at_once",
          account: "dana.ortiz-with-a-long-name@subsidiary.example.com",
          arguments: Array.from({ length: 30 }, (_, n) => argument(`argument_${n}`, JSON.stringify("value ".repeat(n + 1)))),
          omitted: 34,
        },
      },
      update,
    ],
    waiting: 3,
  },
  hostile: {
    questions: [
      {
        ...update,
        id: "q8",
        asker: { ...unlisted, name: hostileText, known: "program", path: `/tmp/${hostileText}` },
        matter: {
          kind: "call",
          server: "crm",
          wants: "change",
          tool: hostileText,
          account: hostileText,
          arguments: [argument(hostileText, hostileText), argument("long", "z".repeat(4_000), 10_000)],
          omitted: 0,
        },
        lastings: ["once", "session"],
      },
    ],
    waiting: 0,
  },
  addServer: {
    questions: [
      {
        ...update,
        id: "q9",
        asker: { name: "keybearer", known: "weak", path: "/usr/bin/keybearer", started: claude.started!, started_by: "bash" },
        matter: { kind: "add_server", name: "notes", url: "https://notes.example.com/mcp" },
        lastings: ["once"],
      },
    ],
    waiting: 0,
  },
  addClient: {
    questions: [
      {
        ...update,
        id: "q10",
        asker: { name: "keybearer", known: "weak", path: "/usr/bin/keybearer" },
        matter: { kind: "add_client", name: "note-app", program: "/opt/note-app/note-app", servers: ["notes", "wiki"] },
        lastings: ["once"],
      },
    ],
    waiting: 0,
  },
} satisfies Record<string, Prompts>;
