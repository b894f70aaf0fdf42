import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

const css = readFileSync("src/app/tokens.css", "utf8");
const [light = "", dark = ""] = css.split("@media (prefers-color-scheme: dark)");

function colours(block: string): Map<string, string> {
  return new Map([...block.matchAll(/--([a-z-]+): (#[0-9a-f]{6});/g)].map(([, name, value]) => [name!, value!]));
}

function luminance(colour: string): number {
  const [r, g, b] = [1, 3, 5].map((at) => {
    const part = parseInt(colour.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
}

function contrast(a: string, b: string): number {
  const [dark, light] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (light! + 0.05) / (dark! + 0.05);
}

const pairs: [ink: string, paper: string, least: number][] = [];
for (const paper of ["ground", "surface"]) {
  for (const ink of ["ink", "ink-soft", "brass", "good", "attention", "danger"]) pairs.push([ink, paper, 4.5]);
  pairs.push(["edge", paper, 3]);
}
pairs.push(["on-brass", "brass", 4.5], ["on-brass", "brass-strong", 4.5]);

for (const [theme, block] of [["light", light], ["dark", dark]] as const) {
  const palette = colours(block);
  test.each(pairs)(`${theme}: %s on %s`, (ink, paper, least) => {
    expect(contrast(palette.get(ink)!, palette.get(paper)!)).toBeGreaterThanOrEqual(least);
  });
}
