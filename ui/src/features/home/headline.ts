import type { Headline } from "../../lib/api";
import { t } from "../../lib/i18n";

/** The one thing to know, without a full stop. */
export function headlineWords(headline: Headline): string {
  const { kind, ...values } = headline;
  return t(`home.headline_${kind}`, values);
}
