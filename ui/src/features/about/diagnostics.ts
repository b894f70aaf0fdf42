import type { About, Snapshot, View } from "../../lib/api";

/** What helps whoever is asked for help: states and versions, in English, without accounts, paths of the person or anything secret. */
export function diagnostics(about: About, view: View): string {
  const lines = [`Keybearer ${about.version} on ${about.system}`, `tray icon: ${about.tray ? "shown" : "the desktop has none"}`];
  switch (view.kind) {
    case "starting":
      return [...lines, "core: starting"].join("\n");
    case "away":
      return [...lines, "core: not running", ...(view.failure ? [`why: ${view.failure.code}: ${view.failure.text}`] : [])].join("\n");
    case "attached":
      return [...lines, ...running(view.snapshot)].join("\n");
    default:
      return view satisfies never;
  }
}

function running(snapshot: Snapshot): string[] {
  return [
    `core: ${snapshot.version}, process ${snapshot.pid}${snapshot.stopped ? ", all access stopped" : ""}`,
    `sign-ins are kept: ${snapshot.key_store}`,
    `doors: http ${snapshot.http_door.kind}, container ${snapshot.container_door.kind}, socket ${snapshot.socket_door ? "open" : "closed"}`,
    ...snapshot.servers.map((server) => `tool ${server.name}: ${server.url.split("?")[0]}, ${server.auth}, ${server.state.kind}${"detail" in server.state ? ` (${server.state.detail})` : ""}`),
    ...snapshot.clients.map((client) => `app ${client.name}: by ${client.by.kind}, ${client.servers.length > 0 ? client.servers.join(" ") : "all tools"}`),
    ...snapshot.problems.map((problem) => `problem: ${problem.code}: ${problem.message}`),
  ];
}
