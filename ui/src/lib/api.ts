/** What a window asks of the shell. No other file knows Tauri. */
import { Channel, invoke } from "@tauri-apps/api/core";
import { listen } from "@tauri-apps/api/event";

import type {
  Answer,
  Connected,
  Disconnected,
  Exchange,
  Failure,
  Found,
  KnownClient,
  Permission,
  Preview,
  Prompts,
  Question,
  Record as ActivityRecord,
  Row,
  Settings,
  Tool,
  View,
  Wish,
} from "../bindings";

export type { Answer, Argument, Asker, Lasting, Matter, Permission, Prompts, Question, Wants } from "../bindings";

export type {
  Action,
  Because,
  Client,
  Code,
  Connected,
  Disconnected,
  Exactly,
  Exchange,
  Failure,
  FilePreview,
  Found,
  Headline,
  Home,
  KnownClient,
  Left,
  Mark,
  Messages,
  Notice,
  Preview,
  Record as ActivityRecord,
  Risk,
  Row,
  Sentence,
  Server,
  Setting,
  Settings,
  Snapshot,
  Source,
  State,
  Tone,
  Tool,
  View,
  Wish,
} from "../bindings";

/** What the shell is made of. */
export interface About {
  version: string;
  system: string;
  /** Whether the desktop shows our icon somewhere. */
  tray: boolean;
  parts: { name: string; version: string; licence: string }[];
}

/** Everything that a window asks. What fails is a {@link Failure}; how signing in and out went is in the view. */
export interface Core {
  /** Calls back with the view as it is now, and again whenever it changes; the result ends that. */
  watch(changed: (view: View) => void): Promise<() => void>;
  start(): Promise<void>;
  signIn(server: Row["name"]): Promise<void>;
  signOut(server: Row["name"]): Promise<void>;
  tools(server: Row["name"]): Promise<Tool[]>;
  look(url: string): Promise<Found>;
  addServer(name: string, url: string): Promise<void>;
  removeServer(name: Row["name"]): Promise<void>;
  apps(): Promise<KnownClient[]>;
  preview(wish: Wish): Promise<Preview>;
  connect(wish: Wish, token: string): Promise<Connected>;
  disconnect(client: string): Promise<Disconnected>;
  revoke(client: string): Promise<void>;
  revokePermission(number: Permission["number"]): Promise<void>;
  /** Calls back with the last records, and then with those that follow, until the core goes away or the result is called. */
  activity(show: (records: ActivityRecord[]) => void, failed: (failure: Failure) => void): () => void;
  /** Calls back with the messages of calls as they end, secrets cut, until the core goes away or the result is called. */
  inspect(show: (exchanges: Exchange[]) => void, failed: (failure: Failure) => void): () => void;
  settings(): Promise<Settings>;
  stopAccess(): Promise<void>;
  resumeAccess(): Promise<void>;
  /** Turns Keybearer off, or asks in the view if a sign-in would be lost. */
  turnOff(): Promise<void>;
  turnOffAnyway(): Promise<void>;
  keepOn(): Promise<void>;
  about(): Promise<About>;
}

/** What was thrown, as something that a person can read. */
export function failureOf(thrown: unknown): Failure {
  if (typeof thrown === "object" && thrown !== null && "code" in thrown && "text" in thrown) return thrown as Failure;
  return { code: "internal", text: String(thrown) };
}

export const tauri: Core = {
  async watch(changed) {
    let newer = false;
    const stop = await listen<View>("view", (event) => {
      newer = true;
      changed(event.payload);
    });
    const now = await invoke<View>("view");
    // An event that came while we asked is newer than the answer.
    if (!newer) changed(now);
    return stop;
  },
  activity(show, failed) {
    let wanted = true;
    const records = new Channel<ActivityRecord[]>((new_) => wanted && show(new_));
    invoke("activity", { records }).catch((thrown: unknown) => wanted && failed(failureOf(thrown)));
    return () => (wanted = false);
  },
  inspect(show, failed) {
    let wanted = true;
    const exchanges = new Channel<Exchange[]>((new_) => wanted && show(new_));
    invoke("inspect", { exchanges }).catch((thrown: unknown) => wanted && failed(failureOf(thrown)));
    return () => {
      wanted = false;
      void invoke("stop_inspecting");
    };
  },
  start: () => invoke("start"),
  signIn: (server) => invoke("sign_in", { server }),
  signOut: (server) => invoke("sign_out", { server }),
  tools: (server) => invoke("tools", { server }),
  look: (url) => invoke("look", { url }),
  addServer: (name, url) => invoke("add_server", { name, url }),
  removeServer: (name) => invoke("remove_server", { name }),
  apps: () => invoke("apps"),
  preview: (wish) => invoke("preview", { wish }),
  connect: (wish, token) => invoke("connect", { wish, token }),
  disconnect: (client) => invoke("disconnect", { client }),
  revoke: (client) => invoke("revoke", { client }),
  revokePermission: (number) => invoke("revoke_permission", { number }),
  settings: () => invoke("settings"),
  stopAccess: () => invoke("stop_access"),
  resumeAccess: () => invoke("resume_access"),
  turnOff: () => invoke("turn_off"),
  turnOffAnyway: () => invoke("turn_off_anyway"),
  keepOn: () => invoke("keep_on"),
  about: () => invoke("about"),
};

/** What the prompt's window asks of the shell. */
export interface Prompter {
  /** Calls back with the questions that wait, and again whenever they change; the result ends that. */
  watch(changed: (prompts: Prompts) => void): Promise<() => void>;
  /** Answers a question. Fails if the core does not count it. */
  answer(question: Question["id"], answer: Answer): Promise<void>;
  /** Asks for as much time again. Fails if there is none to give. */
  moreTime(question: Question["id"]): Promise<void>;
  /** Makes the window as high as its content. */
  fit(height: number): Promise<void>;
}

export const tauriPrompter: Prompter = {
  async watch(changed) {
    let newer = false;
    const stop = await listen<Prompts>("prompts", (event) => {
      newer = true;
      changed(event.payload);
    });
    const now = await invoke<Prompts>("prompts");
    if (!newer) changed(now);
    return stop;
  },
  answer: (question, answer) => invoke("answer", { question, answer }),
  moreTime: (question) => invoke("more_time", { question }),
  fit: (height) => invoke("fit", { height }),
};
