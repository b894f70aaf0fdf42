import type { Because } from "../../lib/api";
import { t } from "../../lib/i18n";
import { onDay } from "../../lib/i18n/time";

/** Why the person has to sign in. */
export function becauseWords(because: Because, name: string): string {
  const now = new Date();
  switch (because.why) {
    case "never_signed_in":
    case "signed_out":
    case "not_kept":
    case "no_header":
    case "unusable_header":
      return t(`home.because_${because.why}`);
    case "ended":
    case "interrupted":
      return t(`home.because_${because.why}`, { when: onDay(new Date(because.at), now) });
    case "failed":
      // Its detail is shown beside it, as the quote that it is.
      return t(`errors.failed_${because.how}`);
    case "account_changed":
      return t("home.because_account_changed", { now: because.now, before: because.before, name });
    default:
      return because satisfies never;
  }
}
