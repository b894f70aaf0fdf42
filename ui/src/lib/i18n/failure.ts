import type { Failure } from "../api";
import { language, t } from "./index";

/** What went wrong, in the person's language. The core's own sentences are English: elsewhere they are details. */
export function failureWords(failure: Failure): { text: string; hint: string | undefined; said: string | undefined } {
  if (language() === "en") return { text: failure.text, hint: failure.hint, said: undefined };
  return { text: t(`errors.${failure.code}`), hint: t(`errors.${failure.code}_hint`), said: failure.text };
}
