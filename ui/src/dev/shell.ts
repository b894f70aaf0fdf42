/** A shell that says what it is told to say, and notes what it was asked: for the eye and for tests. */
import type { About, ActivityRecord, Connected, Core, Disconnected, Exchange, Failure, Found, KnownClient, Preview, Settings, Tool, View } from "../lib/api";
import { about, apps, connected, disconnected, preview, records, settings, tools } from "./answers";

type Answers = {
  tools: Tool[];
  look: Found;
  apps: KnownClient[];
  preview: Preview;
  connect: Connected;
  disconnect: Disconnected;
  settings: Settings;
  about: About;
  records: ActivityRecord[];
  exchanges: Exchange[];
};

export class Shell implements Core {
  readonly asked: string[] = [];
  answers: Answers = { tools, look: { kind: "sign_in", issuer: "login.example.com" }, apps, preview, connect: connected, disconnect: disconnected, settings, about, records, exchanges: [] };
  /** What fails, by what is asked. */
  failing: Partial<Record<keyof Core, Failure>> = {};
  /** What is never answered. */
  silent = new Set<keyof Core>();
  private changed: (view: View) => void = () => {};
  private ended: () => void = () => {};
  private show: (records: ActivityRecord[]) => void = () => {};
  private tell: (exchanges: Exchange[]) => void = () => {};

  constructor(private view: View) {}

  async watch(changed: (view: View) => void) {
    this.changed = changed;
    changed(this.view);
    return () => void this.asked.push("unwatch");
  }

  start = () => this.lasting("start");
  signIn = (server: string) => this.lasting(`sign in to ${server}`);
  signOut = (server: string) => this.lasting(`sign out of ${server}`);
  tools = (server: string) => this.answer("tools", `tools of ${server}`, this.answers.tools);
  look = (url: string) => this.answer("look", `look at ${url}`, this.answers.look);
  addServer = (name: string, url: string) => this.answer("addServer", `add ${name} at ${url}`, undefined);
  removeServer = (name: string) => this.answer("removeServer", `remove ${name}`, undefined);
  apps = () => this.answer("apps", "apps", this.answers.apps);
  preview = (wish: { client: string; placement?: string }) => this.answer("preview", `preview ${[wish.client, wish.placement].join(" ").trim()}`, this.answers.preview);
  connect = (wish: { client: string }, token: string) => this.answer("connect", `connect ${wish.client} ${token}`, this.answers.connect);
  disconnect = (client: string) => this.answer("disconnect", `disconnect ${client}`, this.answers.disconnect);
  revoke = (client: string) => this.answer("revoke", `revoke ${client}`, undefined);
  revokePermission = (number: number) => this.answer("revokePermission", `revoke permission ${number}`, undefined);
  settings = () => this.answer("settings", "settings", this.answers.settings);
  stopAccess = () => this.answer("stopAccess", "stop access", undefined);
  resumeAccess = () => this.answer("resumeAccess", "resume access", undefined);
  turnOff = () => this.answer("turnOff", "turn off", undefined);
  turnOffAnyway = () => this.answer("turnOffAnyway", "turn off anyway", undefined);
  keepOn = () => this.answer("keepOn", "keep on", undefined);
  about = () => this.answer("about", "about", this.answers.about);

  activity(show: (records: ActivityRecord[]) => void, failed: (failure: Failure) => void) {
    this.asked.push("activity");
    this.show = show;
    const failure = this.failing.activity;
    if (failure) failed(failure);
    else if (!this.silent.has("activity")) show(this.answers.records);
    return () => void this.asked.push("leave activity");
  }

  inspect(show: (exchanges: Exchange[]) => void, failed: (failure: Failure) => void) {
    this.asked.push("inspect");
    this.tell = show;
    const failure = this.failing.inspect;
    if (failure) failed(failure);
    else if (!this.silent.has("inspect")) show(this.answers.exchanges);
    return () => void this.asked.push("stop inspecting");
  }

  /** A call that is looked at ends. */
  exchange(exchange: Exchange) {
    this.tell([exchange]);
  }

  /** The core's state changes. */
  say(view: View) {
    this.changed(view);
  }

  /** Something happens. */
  happen(record: ActivityRecord) {
    this.show([record]);
  }

  /** What was asked last and takes its time is done. */
  end() {
    this.ended();
  }

  private lasting(asked: string): Promise<void> {
    this.asked.push(asked);
    return new Promise((ended) => (this.ended = ended));
  }

  private async answer<T>(what: keyof Core, asked: string, answer: T): Promise<T> {
    this.asked.push(asked);
    const failure = this.failing[what];
    if (failure) throw failure;
    return this.silent.has(what) ? new Promise<T>(() => {}) : answer;
  }
}
