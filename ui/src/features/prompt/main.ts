import { mount } from "svelte";

import { tauriPrompter } from "../../lib/api";
import { languageFor, speak } from "../../lib/i18n";
import Prompts from "./Prompts.svelte";
import "../../app/tokens.css";
import "../../app/base.css";

speak(languageFor([...new URLSearchParams(location.search).getAll("lang"), ...navigator.languages]));
const target = document.getElementById("app");
if (target) mount(Prompts, { target, props: { prompter: tauriPrompter } });
