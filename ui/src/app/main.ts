import { mount } from "svelte";

import App from "./App.svelte";
import { tauri } from "../lib/api";
import "./tokens.css";
import "./base.css";

const target = document.getElementById("app");
if (target) mount(App, { target, props: { core: tauri } });
