import type { ActivityRecord, Tone } from "../../lib/api";
import { t } from "../../lib/i18n";

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
    case "other":
      return "note";
    default:
      return record.event satisfies never;
  }
}

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
