import { mount } from "svelte";

import App from "../app/App.svelte";
import { pages } from "../app/pages";
import type { View } from "../lib/api";
import { languageFor, speak } from "../lib/i18n";
import { Shell } from "./shell";
import { states } from "./states";
import "../app/tokens.css";
import "../app/base.css";

const known: Record<string, View> = states;
const asked = new URLSearchParams(location.search);
speak(languageFor([...asked.getAll("lang"), ...navigator.languages]));

const view = known[asked.get("state") ?? "needed"] ?? states.empty;
const open = pages.find((page) => page === asked.get("page")) ?? "home";
const target = document.getElementById("app");
if (target) mount(App, { target, props: { core: new Shell(view), open } });
