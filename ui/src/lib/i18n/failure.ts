import type { Exactly, Failure } from "../api";
import { language, t } from "./index";

/** Where the names alone do not say it all: the core's own words, or a server's, are worth reading. */
const MORE = new Set<Exactly["kind"]>(["line", "said_no", "not_shown", "left_alone"]);

/** What went wrong, in the person's language. The core's own sentences are English: elsewhere they are details. */
export function failureWords(failure: Failure): { text: string; hint: string | undefined; said: string | undefined } {
  if (language() === "en") return { text: failure.text, hint: failure.hint, said: undefined };
  const { exactly } = failure;
  const said = exactly === undefined || MORE.has(exactly.kind) ? failure.text : undefined;
  return { text: exactly ? exactlyWords(exactly) : t(`errors.${failure.code}`), hint: t(`errors.${failure.code}_hint`), said };
}

function exactlyWords(exactly: Exactly): string {
  const { kind, ...names } = exactly;
  if (kind === "said_no") return `${t("errors.exactly_said_no", { name: exactly.name })} ${t(`errors.failed_${exactly.how}`)}`;
  // A line and a port are numbers that nobody counts with.
  const values = Object.fromEntries(Object.entries(names).map(([name, value]) => [name, String(value)]));
  return t(`errors.exactly_${kind}`, values);
}
