import type { Found, Tone } from "../../lib/api";
import { t } from "../../lib/i18n";

interface Words {
  tone: Tone;
  text: string;
  hint?: string;
  /** The system's own words. */
  detail?: string;
}

/** What is at an address, in plain words. */
export function foundWords(found: Found): Words {
  switch (found.kind) {
    case "open":
      return { tone: "good", text: found.name ? t("tools.found_open_named", { name: found.name }) : t("tools.found_open") };
    case "sign_in":
      return { tone: "good", text: found.issuer ? t("tools.found_sign_in_at", { issuer: found.issuer }) : t("tools.found_sign_in") };
    case "locked":
      return { tone: "attention", text: t("tools.found_locked"), hint: t("tools.found_locked_hint") };
    case "foreign":
      return { tone: "danger", text: t("tools.found_foreign", { status: String(found.status) }), hint: t("tools.found_foreign_hint") };
    case "unreachable":
    case "certificate":
    case "interrupted":
      return { tone: "danger", text: t(`tools.found_${found.kind}`), hint: t(`tools.found_${found.kind}_hint`), detail: found.detail };
    default:
      return found satisfies never;
  }
}

/** Whether what was found can be added. */
export function isUsable(found: Found): boolean {
  switch (found.kind) {
    case "open":
    case "sign_in":
    case "locked":
      return true;
    case "foreign":
    case "unreachable":
    case "certificate":
    case "interrupted":
      return false;
    default:
      return found satisfies never;
  }
}

/** The host of an address, or the address itself. */
export function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : url;
}

/** Parts of a host that say nothing of what is there. */
const EMPTY = new Set(["www", "mcp", "api", "app", "localhost"]);

/** A short name for what is at an address, unlike those that are taken. */
export function nameFor(url: string, taken: string[]): string {
  const labels = URL.canParse(url) ? new URL(url).hostname.split(".") : [];
  const told = labels.find((label) => /^[a-z][a-z0-9-]*$/.test(label) && !EMPTY.has(label)) ?? "tool";
  let name = told;
  for (let n = 2; taken.includes(name); n++) name = `${told}-${n}`;
  return name;
}
