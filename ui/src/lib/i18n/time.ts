/** Times in words, in the person's language and time zone. */
import { formats, t } from "./index";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** The time of day: “10:42”. */
export function clock(at: Date): string {
  return new Intl.DateTimeFormat(formats(), { hour: "numeric", minute: "2-digit" }).format(at);
}

/** The day, as near as it is: “today”, “yesterday”, “Friday”, “12 March”, “12 March 2025”. */
export function day(at: Date, now: Date): string {
  const days = Math.round((startOfDay(now) - startOfDay(at)) / DAY);
  const names = new Intl.RelativeTimeFormat(formats(), { numeric: "auto" });
  if (Math.abs(days) < 2) return names.format(-days, "day");
  if (days > 0 && days < 7) return new Intl.DateTimeFormat(formats(), { weekday: "long" }).format(at);
  const year = at.getFullYear() === now.getFullYear() ? {} : { year: "numeric" as const };
  return new Intl.DateTimeFormat(formats(), { day: "numeric", month: "long", ...year }).format(at);
}

/** The day within a sentence: “today”, “on Friday”, “on 12 March”. */
export function onDay(at: Date, now: Date): string {
  const days = Math.round((startOfDay(now) - startOfDay(at)) / DAY);
  return Math.abs(days) < 2 ? day(at, now) : t("common.on_day", { day: day(at, now) });
}

/** A moment as near as it matters: “10:42” today, else the day. */
export function moment(at: Date, now: Date): string {
  return startOfDay(at) === startOfDay(now) ? clock(at) : day(at, now);
}

/** How far away a moment is: “in 20 minutes”, “3 hours ago”. */
export function distance(at: Date, now: Date): string {
  const away = at.getTime() - now.getTime();
  const names = new Intl.RelativeTimeFormat(formats(), { numeric: "auto" });
  if (Math.abs(away) < MINUTE) return t("common.just_now");
  if (Math.abs(away) < HOUR) return names.format(Math.round(away / MINUTE), "minute");
  if (Math.abs(away) < DAY) return names.format(Math.round(away / HOUR), "hour");
  return names.format(Math.round(away / DAY), "day");
}

/** Everything of a moment, for whoever wants to know exactly. */
export function exact(at: Date): string {
  return new Intl.DateTimeFormat(formats(), { dateStyle: "medium", timeStyle: "medium" }).format(at);
}

function startOfDay(at: Date): number {
  return new Date(at.getFullYear(), at.getMonth(), at.getDate()).getTime();
}
