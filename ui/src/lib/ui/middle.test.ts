import { expect, test } from "vitest";

import { middle } from "./middle";

const within = (length: number) => (text: string) => [...text].length <= length;

test("a name that fits stays whole", () => {
  expect(middle("crm", within(3))).toBe("crm");
});

test("a longer one keeps both ends", () => {
  expect(middle("quarterly-reports-archive", within(18))).toBe("quarterly…-archive");
});

test("letters outside the basic plane are not torn", () => {
  expect(middle("🔑🔑🔑🔑🔑", within(3))).toBe("🔑…🔑");
});

test("no room at all still shows the beginning", () => {
  expect(middle("archive", () => false)).toBe("a…");
});
