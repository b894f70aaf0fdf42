import type { Permission } from "../../lib/api";
import { t } from "../../lib/i18n";
import { clock } from "../../lib/i18n/time";
import type { ConnectedApp } from "./joined";

/** An app that may do something without being asked about, and what. */
export interface Holder {
  key: string;
  name: string;
  /** Its program, where it is not one of the connected apps: the name alone says little. */
  program: string | undefined;
  permissions: Permission[];
}

/** The permissions of each app; connected apps by the name that they are listed under. */
export function byHolder(permissions: Permission[], apps: ConnectedApp[]): Holder[] {
  const holders = new Map<string, Holder>();
  for (const permission of permissions) {
    const app = apps.find((app) => app.key === permission.holder);
    const program = app ? undefined : permission.program;
    const key = JSON.stringify([permission.holder, program]);
    const name = app?.name ?? permission.holder ?? t("apps.unknown_holder");
    const holder = holders.get(key) ?? { key, name, program, permissions: [] };
    holder.permissions.push(permission);
    holders.set(key, holder);
  }
  return [...holders.values()].sort((a, b) => a.name.localeCompare(b.name));
}

/** What it allows. */
export function what({ what, server }: Permission): string {
  return what === undefined ? t("apps.may_connect", { server }) : t("apps.may_tool", { what, server });
}

/** Until when. */
export function lasts({ lasting, ends }: Permission, name: string): string {
  switch (lasting) {
    case "session":
      return ends === undefined ? t("apps.lasts_session", { name }) : t("apps.lasts_session_ends", { name, when: clock(new Date(ends)) });
    case "once":
    case "today":
    case "always":
      return t(`apps.lasts_${lasting}`);
    default:
      return lasting satisfies never;
  }
}
