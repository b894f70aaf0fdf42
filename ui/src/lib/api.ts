/** What a window asks of the shell. No other file knows Tauri. */
import { invoke } from "@tauri-apps/api/core";
import { listen } from "@tauri-apps/api/event";

import type { Row, View } from "../bindings";

export type { Action, Code, Failure, Headline, Home, Mark, Notice, Row, Snapshot, State, Tone, View } from "../bindings";

export interface Core {
  /** Calls back with the view as it is now, and again whenever it changes; the result ends that. */
  watch(changed: (view: View) => void): Promise<() => void>;
  /** Starts a core. How that went is in the view. */
  start(): Promise<void>;
  /** Signs in and waits for the end. How that went is in the view. */
  signIn(server: Row["name"]): Promise<void>;
  /** Signs out. How that went is in the view. */
  signOut(server: Row["name"]): Promise<void>;
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
  start: () => invoke("start"),
  signIn: (server) => invoke("sign_in", { server }),
  signOut: (server) => invoke("sign_out", { server }),
};
