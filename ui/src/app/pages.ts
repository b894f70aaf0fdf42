/** The window's pages, in the order of the rail. */
export const pages = ["home", "tools", "apps", "activity", "settings", "about"] as const;

export type Page = (typeof pages)[number];
