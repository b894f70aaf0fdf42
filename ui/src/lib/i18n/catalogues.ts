/** The words, one file for each part of the window and each language. The shell reads the same files. */
import enAbout from "./en/about.json";
import enActivity from "./en/activity.json";
import enApps from "./en/apps.json";
import enCommon from "./en/common.json";
import enErrors from "./en/errors.json";
import enFirst from "./en/first.json";
import enHome from "./en/home.json";
import enPages from "./en/pages.json";
import enPrompt from "./en/prompt.json";
import enSettings from "./en/settings.json";
import enSignin from "./en/signin.json";
import enTools from "./en/tools.json";
import enTray from "./en/tray.json";
import deAbout from "./de/about.json";
import deActivity from "./de/activity.json";
import deApps from "./de/apps.json";
import deCommon from "./de/common.json";
import deErrors from "./de/errors.json";
import deFirst from "./de/first.json";
import deHome from "./de/home.json";
import dePages from "./de/pages.json";
import dePrompt from "./de/prompt.json";
import deSettings from "./de/settings.json";
import deSignin from "./de/signin.json";
import deTools from "./de/tools.json";
import deTray from "./de/tray.json";

const en = {
  about: enAbout,
  activity: enActivity,
  apps: enApps,
  common: enCommon,
  errors: enErrors,
  first: enFirst,
  home: enHome,
  pages: enPages,
  prompt: enPrompt,
  settings: enSettings,
  signin: enSignin,
  tools: enTools,
  tray: enTray,
};

const de: Catalogue = {
  about: deAbout,
  activity: deActivity,
  apps: deApps,
  common: deCommon,
  errors: deErrors,
  first: deFirst,
  home: deHome,
  pages: dePages,
  prompt: dePrompt,
  settings: deSettings,
  signin: deSignin,
  tools: deTools,
  tray: deTray,
};

export const catalogues = { en, de };

/** English decides what there is to say. */
export type Catalogue = typeof en;

/** One sentence, or one for each kind of number (`one`, `other`, ...). */
export type Message = string | Partial<Record<Intl.LDMLPluralRule, string>>;

type KeyOf<C> = { [Part in keyof C & string]: `${Part}.${keyof C[Part] & string}` }[keyof C & string];

/** The name of a sentence: its part and its own name, as in `home.empty`. */
export type Key = KeyOf<Catalogue>;
