/** What a core of a small company would answer. */
import type { About, ActivityRecord, Client, Connected, Disconnected, Exchange, KnownClient, Permission, Preview, Settings, Tool } from "../lib/api";

export const tools: Tool[] = [
  { name: "find_account", title: "Find an account", description: "Looks for accounts by name or city.", risk: "read" },
  { name: "update_account", title: "Update an account", description: "Changes fields of one account.", risk: "change" },
  { name: "delete_account", description: "Deletes an account and what belongs to it.", risk: "delete" },
  { name: "send_offer", title: "Send an offer", risk: "send" },
];

export const clients: Client[] = [
  { name: "claude-desktop", by: { kind: "program", path: "/opt/Claude/claude" }, servers: [], since: "2026-11-02T08:00:00Z", last_seen: "2026-11-30T10:42:07Z" },
  { name: "report-script", by: { kind: "key" }, servers: ["crm", "wiki"], since: "2026-11-29T16:20:00Z" },
];

export const permissions: Permission[] = [
  { number: 3, holder: "claude-desktop", program: "/opt/Claude/claude", server: "crm", what: "update_account", account: "dana@example.com", lasting: "session", given: "2026-11-30T10:42:00Z", ends: "2026-11-30T22:42:00Z" },
  { number: 4, holder: "claude-desktop", program: "/opt/Claude/claude", server: "crm", lasting: "always", given: "2026-11-02T08:00:00Z" },
  { number: 7, holder: "librechat", program: "/usr/bin/librechat", server: "wiki", what: "edit_page", lasting: "today", given: "2026-11-30T09:10:00Z", ends: "2026-12-01T00:00:00Z" },
  { number: 8, server: "wiki", what: "read_page", lasting: "once", given: "2026-11-30T09:10:00Z" },
];

export const apps: KnownClient[] = [
  {
    id: "claude-desktop",
    name: "Claude Desktop",
    installed: true,
    placements: [],
    file: "/home/dana/.config/Claude/claude_desktop_config.json",
    connection: { transport: "stdio", servers: [], files: ["/home/dana/.config/Claude/claude_desktop_config.json"], since: "2026-11-02T08:00:00Z" },
  },
  { id: "vscode", name: "VS Code", installed: true, placements: [], file: "/home/dana/.config/Code/User/mcp.json" },
  { id: "librechat", name: "LibreChat", installed: true, placements: ["host", "container"], file: "/home/dana/librechat/librechat.yaml" },
  { id: "cursor", name: "Cursor", installed: false, placements: [] },
];

export const preview: Preview = {
  client: "vscode",
  name: "VS Code",
  transport: "stdio",
  known_by: { kind: "program", path: "/usr/share/code/code" },
  files: [
    {
      path: "/home/dana/.config/Code/User/mcp.json",
      exists: true,
      replaces: [],
      added: [{ line: 3, text: '    "keybearer": {\n      "command": "/usr/bin/keybearer",\n      "args": ["stdio"]\n    }' }],
    },
  ],
  warnings: [],
  token: "seen",
};

export const connected: Connected = {
  client: "vscode",
  name: "VS Code",
  transport: "stdio",
  servers: [],
  files: [{ path: "/home/dana/.config/Code/User/mcp.json", backup: "/home/dana/.config/Code/User/mcp.json.keybearer-backup" }],
  afterwards: [{ en: "Restart VS Code.", de: "Starten Sie VS Code neu." }],
};

export const disconnected: Disconnected = {
  client: "vscode",
  name: "VS Code",
  files: [{ path: "/home/dana/.config/Code/User/mcp.json", how: "restored" }],
  afterwards: [],
};

export const settings: Settings = {
  file: "/home/dana/.config/keybearer/config.toml",
  state: "/home/dana/.local/state/keybearer",
  audit: "/home/dana/.local/state/keybearer/audit",
  rules: 3,
  settings: [
    { name: "unknown", value: "ask", source: { kind: "default" } },
    { name: "keystore", value: "system", source: { kind: "default" } },
    { name: "http_port", value: "41234", source: { kind: "file", line: 3 } },
    { name: "container_door", value: "", source: { kind: "default" } },
    { name: "open_calls", value: "256", source: { kind: "default" } },
    { name: "calls_per_second", value: "1000", source: { kind: "default" } },
    { name: "ask_timeout", value: "45", source: { kind: "file", line: 7 } },
    { name: "from_a_newer_core", value: "yes", source: { kind: "default" } },
  ],
};

export const about: About = {
  version: "0.1.0",
  system: "linux x86_64",
  tray: true,
  parts: [
    { name: "rustls", version: "0.23.1", licence: "Apache-2.0 OR ISC OR MIT" },
    { name: "svelte", version: "5.57.3", licence: "MIT" },
    { name: "tauri", version: "2.12.5", licence: "Apache-2.0 OR MIT" },
  ],
};

export const call: ActivityRecord = {
  seq: 112,
  time: "2026-11-30T10:42:07Z",
  event: "call",
  client: "claude-desktop",
  program: "/opt/Claude/claude",
  started_by: ["/usr/bin/gnome-shell"],
  server: "crm",
  method: "tools/call",
  tool: "find_account",
  risk: "read",
  arguments: ["name", "city"],
  account: "dana@example.com",
  headers: [],
  decision: "allow",
  reason: "rule 1 (config.toml line 12)",
  basis: "rule",
  rule: 1,
  line: 12,
  servers: [],
  outcome: "answered",
  status: 200,
  duration_ms: 48,
};

/** One of each kind that is no call; a kind that is missing does not compile. */
const events: Record<Exclude<ActivityRecord["event"], "call">, Partial<ActivityRecord>> = {
  sign_in: { server: "crm", account: "dana@example.com", issuer: "https://login.example.com" },
  sign_in_ends: { servers: ["crm", "wiki"], account: "dana@example.com", issuer: "https://login.example.com", at: "2026-11-30T17:00:00Z" },
  sign_out: { server: "crm" },
  renewed: { server: "crm" },
  client_added: { client: "claude-desktop" },
  answered: { program: "/usr/bin/librechat", server: "mail", matter: "call", what: "send_mail", answer: "deny" },
  answer_refused: { program: "/usr/bin/python3", why: "not_the_shell" },
  prompter_attached: { program: "/usr/bin/keybearer-desktop" },
  prompter_refused: { program: "/usr/bin/python3", why: "not_the_shell" },
  permission_given: { client: "claude-desktop", server: "crm", matter: "call", what: "update_account", permission: 3, lasts: "session" },
  permission_ended: { client: "claude-desktop", server: "crm", matter: "connect", what: "connect", permission: 2, why: "ran_out" },
  program_changed: { client: "claude-desktop" },
  client_revoked: { client: "report-script" },
  server_added: { server: "crm" },
  server_removed: { server: "crm" },
  access_stopped: {},
  access_resumed: {},
  repaired: {},
  discontinued: {},
  turned_away: { times: 3 },
  inspection_begun: { program: "/usr/bin/keybearer-desktop" },
  inspection_ended: {},
  lost: {},
  other: {},
};

const event = (seq: number, more: Partial<ActivityRecord> & Pick<ActivityRecord, "event">): ActivityRecord => ({
  seq,
  time: "2026-11-30T10:40:00Z",
  started_by: [],
  arguments: [],
  headers: [],
  servers: [],
  ...more,
});

export const everyEvent: ActivityRecord[] = Object.entries(events).map(([kind, more], n) => event(n + 1, { ...more, event: kind as ActivityRecord["event"] }));

const { client: _, ...anonymous } = call;
const { tool: _tool, risk: _risk, ...message } = { ...call, arguments: [] };

export const records: ActivityRecord[] = [
  ...everyEvent,
  { ...message, seq: 108, method: "initialize" },
  { ...message, seq: 109, method: "tools/list" },
  { ...anonymous, seq: 110, tool: "send_mail", risk: "send", server: "mail", decision: "deny", reason: "refused by the person", basis: "person", outcome: "denied", program: "/usr/bin/librechat" },
  { ...call, seq: 111, server: "wiki", tool: "get_page", outcome: "unreachable", duration_ms: 10_012 },
  call,
];

/** The messages of {@link call}, once somebody looks. */
export const exchange: Exchange = {
  number: 5,
  came: ["accept", "authorization", "content-type", "cookie", "user-agent"],
  stripped: ["authorization", "cookie", "user-agent"],
  credential: "authorization",
  sent: { texts: [JSON.stringify({ jsonrpc: "2.0", id: 7, method: "tools/call", params: { name: "find_account", arguments: { name: "Initech", password: "•••" } } }, null, 2)], bytes: 141, cut: 1, withheld: false },
  status: 200,
  got: { texts: [JSON.stringify({ jsonrpc: "2.0", id: 7, result: { content: [{ type: "text", text: "Initech, Berlin" }] } }, null, 2)], bytes: 98, cut: 0, withheld: false },
};
