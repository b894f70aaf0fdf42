/** `text` without its middle, as long as `fits` says yes: both ends of a name tell it from others. */
export function middle(text: string, fits: (text: string) => boolean): string {
  if (fits(text)) return text;
  const letters = [...text];
  let [shortest, longest] = [1, letters.length - 1];
  while (shortest < longest) {
    const kept = Math.ceil((shortest + longest) / 2);
    if (fits(ends(letters, kept))) shortest = kept;
    else longest = kept - 1;
  }
  return ends(letters, shortest);
}

function ends(letters: string[], kept: number): string {
  const tail = Math.floor(kept / 2);
  return [...letters.slice(0, kept - tail), "…", ...letters.slice(letters.length - tail)].join("");
}
