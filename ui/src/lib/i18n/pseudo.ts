/** Languages that nobody speaks: what stays English under them was not taken from the catalogue. */
import type { Message } from "./catalogues";

/** `en-XA`: accents, and a third longer. `ar-XB`: from right to left. */
export type Pseudo = "en-XA" | "ar-XB";

const PLAIN = "aceinouyACEINOUY";
const ACCENTED = "àçéîñöûýÀÇÉÎÑÖÛÝ";

export function disguise(message: Message, as: Pseudo): Message {
  if (typeof message === "string") return disguised(message, as);
  return Object.fromEntries(Object.entries(message).map(([kind, text]) => [kind, disguised(text, as)]));
}

function disguised(text: string, as: Pseudo): string {
  const parts = text.split(/(\{\w+\})/);
  const changed = parts.map((part) => (part.startsWith("{") ? part : accent(part))).join("");
  const longer = `[${changed}${"~".repeat(Math.ceil(text.length / 3))}]`;
  switch (as) {
    case "en-XA":
      return longer;
    case "ar-XB":
      // U+200F, a mark that nobody sees: the sentence begins on the right.
      return `\u200f${longer}`;
    default:
      return as satisfies never;
  }
}

function accent(text: string): string {
  return [...text].map((letter) => ACCENTED[PLAIN.indexOf(letter)] ?? letter).join("");
}
