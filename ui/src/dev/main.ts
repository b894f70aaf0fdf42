import { mount } from "svelte";

import App from "../app/App.svelte";
import type { Core, View } from "../lib/api";
import { languageFor, speak } from "../lib/i18n";
import { states } from "./states";
import "../app/tokens.css";
import "../app/base.css";

const known: Record<string, View> = states;
const asked = new URLSearchParams(location.search).get("state") ?? "needed";

const core: Core = {
  async watch(changed) {
    changed(known[asked] ?? states.empty);
    return () => {};
  },
  async start() {},
  async signIn() {},
  async signOut() {},
};

speak(languageFor([...new URLSearchParams(location.search).getAll("lang"), ...navigator.languages]));

const target = document.getElementById("app");
if (target) mount(App, { target, props: { core } });
