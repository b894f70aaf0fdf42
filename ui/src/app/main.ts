import { mount } from "svelte";

import App from "./App.svelte";
import { tauri } from "../lib/api";
import { languageFor, speak } from "../lib/i18n";
import "./tokens.css";
import "./base.css";

// The shell says which language it speaks, so that tray and window speak the same.
speak(languageFor([...new URLSearchParams(location.search).getAll("lang"), ...navigator.languages]));

const target = document.getElementById("app");
if (target) mount(App, { target, props: { core: tauri } });
