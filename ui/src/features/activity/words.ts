import type { ActivityRecord, Tone } from "../../lib/api";
import { list, t } from "../../lib/i18n";

/** What belongs to the beginning of a session. */
const BEGINNINGS = new Set(["initialize", "notifications/initialized", "server/discover"]);

/** A record as a line: who, what, and how it ended. */
export interface Line {
  who: string | undefined;
  what: string;
  tone: Tone | "note";
  state: string | undefined;
}

export function lineOf(record: ActivityRecord): Line {
  if (record.event === "call") return { who: appOf(record), what: callOf(record), tone: toneOf(record), state: stateOf(record) };
  return { who: undefined, what: eventOf(record), tone: eventTone(record), state: undefined };
}

/** The app by its name, else by the name of its program's file. */
export function appOf(record: ActivityRecord): string {
  return record.client ?? record.program?.split(/[/\\]/).at(-1) ?? t("activity.unknown_app");
}

function callOf(record: ActivityRecord): string {
  const server = record.server ?? "";
  const { tool, method } = record;
  if (tool !== undefined) return t(`activity.tool_${record.risk ?? "change"}`, { tool, server });
  if (method && BEGINNINGS.has(method)) return t("activity.began", { server });
  // What has no message of its own: a stream to listen at, and its end (MCP's HTTP transport).
  if (method === "GET") return t("activity.listened", { server });
  if (method === "DELETE") return t("activity.left", { server });
  if (method?.endsWith("/list")) return t("activity.listed", { server });
  return t("activity.sent", { method: method ?? "", server });
}

function eventOf(record: ActivityRecord): string {
  const server = record.server ?? "";
  const client = record.client ?? "";
  switch (record.event) {
    case "call":
      return callOf(record);
    case "sign_in":
    case "sign_out":
    case "renewed":
    case "server_added":
    case "server_removed":
      return t(`activity.${record.event}`, { server });
    case "client_added":
    case "client_revoked":
    case "program_changed":
      return t(`activity.${record.event}`, { client });
    case "sign_in_ends":
      return t("activity.sign_in_ends", { servers: list(record.servers) });
    case "answered":
      return t(`activity.answered_${record.answer ?? "other"}`, { who: appOf(record), matter: matterOf(record) });
    case "permission_given":
    case "permission_ended":
      return t(`activity.${record.event}`, { who: appOf(record), matter: matterOf(record) });
    case "prompter_refused":
      return record.why === "taken" ? t("activity.prompter_taken") : t("activity.prompter_refused", { who: appOf(record) });
    case "answer_refused":
    case "prompter_attached":
    case "inspection_begun":
    case "inspection_ended":
    case "access_stopped":
    case "access_resumed":
    case "repaired":
    case "discontinued":
    case "lost":
    case "other":
      return t(`activity.${record.event}`);
    case "turned_away":
      return t("activity.turned_away", { count: record.times ?? 1 });
    default:
      return record.event satisfies never;
  }
}

function eventTone(record: ActivityRecord): Tone | "note" {
  switch (record.event) {
    case "program_changed":
    case "access_stopped":
    case "sign_in_ends":
    case "answer_refused":
    case "prompter_refused":
      return "attention";
    case "discontinued":
    case "lost":
      return "danger";
    case "call":
    case "sign_in":
    case "sign_out":
    case "renewed":
    case "server_added":
    case "server_removed":
    case "client_added":
    case "client_revoked":
    case "access_resumed":
    case "repaired":
    case "turned_away":
    case "inspection_begun":
    case "inspection_ended":
    case "answered":
    case "prompter_attached":
    case "permission_given":
    case "permission_ended":
    case "other":
      return "note";
    default:
      return record.event satisfies never;
  }
}

/** What a question or a permission is about: “use “edit_page” in wiki”. */
function matterOf({ matter = "other", what = "", server = "" }: ActivityRecord): string {
  switch (matter) {
    case "connect":
    case "call":
    case "add_server":
      return t(`activity.matter_${matter}`, { server, what });
    case "add_client":
      // The trail has the change before its name.
      return t("activity.matter_add_client", { what: what.replace(/^add_client /, "") });
    case "other":
      return t("activity.matter_other");
    default:
      return matter satisfies never;
  }
}

/** On what a decision rests. */
export function basisOf({ basis, rule = 0, line = 0, permission = 0 }: ActivityRecord): string | undefined {
  return basis && t(`activity.basis_${basis}`, { rule, line, permission });
}

/** What a person looks for. */
export const kinds = ["all", "calls", "denied", "failed", "permissions", "signins"] as const;
export type Kind = (typeof kinds)[number];

export function isOf(record: ActivityRecord, wanted: Kind): boolean {
  switch (wanted) {
    case "all":
      return true;
    case "calls":
      return record.tool !== undefined;
    case "denied":
      return record.decision === "deny" || record.answer === "deny";
    case "failed":
      return record.event === "call" && record.decision !== "deny" && record.outcome !== "answered";
    case "permissions":
      return ABOUT_PERMISSIONS.has(record.event);
    case "signins":
      return ABOUT_SIGN_INS.has(record.event);
    default:
      return wanted satisfies never;
  }
}

const ABOUT_PERMISSIONS = new Set<ActivityRecord["event"]>(["answered", "answer_refused", "prompter_attached", "prompter_refused", "permission_given", "permission_ended"]);
const ABOUT_SIGN_INS = new Set<ActivityRecord["event"]>(["sign_in", "sign_in_ends", "sign_out", "renewed"]);

function stateOf(record: ActivityRecord): string | undefined {
  return record.outcome && t(`activity.outcome_${record.outcome}`);
}

function toneOf(record: ActivityRecord): Tone {
  switch (record.outcome) {
    case "answered":
      return "good";
    case "denied":
    case "refused_by_server":
    case "unreachable":
    case "interrupted":
    case "issuer_unavailable":
      return "danger";
    case "sign_in_needed":
    case "key_store":
      return "attention";
    case "unknown_server":
    case "unknown_session":
    case "not_sent":
    case "aborted":
    case "other":
    case undefined:
      return "quiet";
    default:
      return record.outcome satisfies never;
  }
}
