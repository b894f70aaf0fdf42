/** The words of a question. Only names that a person or the system gave stand in our sentences. */
import type { Asker, Lasting, Matter } from "../../lib/api";
import { t } from "../../lib/i18n";
import { clock } from "../../lib/i18n/time";

/** What the app is called, where that is known. */
export function appName(asker: Asker): string | undefined {
  return asker.known === "weak" ? undefined : asker.name;
}

/** What is wanted: “wants to change data in crm”. */
export function wants(matter: Matter): string {
  switch (matter.kind) {
    case "call":
      return t(`prompt.wants_${matter.wants}`, { server: matter.server });
    case "add_server":
      return t("prompt.wants_add_server", { name: matter.name });
    case "add_client":
      return t("prompt.wants_add_client", { name: matter.name });
    default:
      return matter satisfies never;
  }
}

/** Where the app comes from: its publisher, and when it was started by what. */
export function origin(asker: Asker): string {
  if (asker.known === "key") return t("prompt.by_key");
  const time = asker.started === undefined ? undefined : clock(new Date(asker.started));
  const started =
    time === undefined
      ? undefined
      : asker.started_by === undefined
        ? t("prompt.started", { time })
        : t("prompt.started_by", { time, program: asker.started_by });
  return [asker.publisher ?? t("prompt.publisher_unknown"), started].filter((part) => part !== undefined).join(" · ");
}

/** How long a yes counts. */
export function lastingWords(lasting: Lasting, name: string | undefined): string {
  switch (lasting) {
    case "session":
      return name === undefined ? t("prompt.session_unnamed") : t("prompt.session", { name });
    case "once":
    case "today":
    case "always":
      return t(`prompt.${lasting}`);
    default:
      return lasting satisfies never;
  }
}
