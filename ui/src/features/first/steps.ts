import type { ActivityRecord, Home, KnownClient, Snapshot } from "../../lib/api";

/** The steps to the first call, in their order. */
export const steps = ["add", "sign_in", "connect", "try_it"] as const;

export type Step = (typeof steps)[number];

/** The first step that is still to be done; none once an app has made a call. */
export function stepOf(home: Home, snapshot: Snapshot, apps: KnownClient[], records: ActivityRecord[]): Step | undefined {
  if (records.some((record) => record.event === "call" && record.tool && record.outcome === "answered")) return undefined;
  if (home.rows.length === 0) return "add";
  const isReady = home.rows.some((row) => row.tone === "good");
  if (!isReady && home.rows.some((row) => row.action === "sign_in")) return "sign_in";
  const isConnected = snapshot.clients.length > 0 || apps.some((app) => app.connection);
  if (!isConnected) return "connect";
  return isReady ? "try_it" : undefined;
}
