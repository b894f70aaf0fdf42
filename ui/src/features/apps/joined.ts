import type { Client, KnownClient } from "../../lib/api";

/** An app that may use company tools: what we registered, what we wrote into its settings, or both. */
export interface ConnectedApp {
  key: string;
  name: string;
  /** As what it is registered; absent for one that is recognised when it comes. */
  client: Client | undefined;
  /** What we know of its settings; absent for one that was registered by hand. */
  known: KnownClient | undefined;
}

/** Every connected app once, by its name. */
export function joined(clients: Client[], known: KnownClient[]): ConnectedApp[] {
  const written = known.filter((app) => app.connection);
  const apps: ConnectedApp[] = clients.map((client) => {
    const app = written.find((app) => app.id === client.name);
    return { key: client.name, name: app?.name ?? client.name, client, known: app };
  });
  for (const app of written) {
    if (!clients.some((client) => client.name === app.id)) apps.push({ key: app.id, name: app.name, client: undefined, known: app });
  }
  return apps.sort((a, b) => a.name.localeCompare(b.name));
}
