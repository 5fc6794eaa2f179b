import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { errorCodes } from "../../src/errors.ts";

const page = readFileSync(new URL("../../docs/errors.md", import.meta.url), "utf8");

/** The table's rows: code, fate, cause. */
const rows = [...page.matchAll(/^\| `([a-z-]+)` \| ([a-z; ]+) \| (.+?) \| (.+) \|$/gm)].map((row) => row.slice(1));

test("docs/errors.md lists exactly the codes of src/errors.ts, in the same order, with fate and cause", () => {
  const expected = Object.entries(errorCodes).map(([code, { fate, judging, cause }]) => [
    code,
    judging === undefined ? fate : `${fate}; ${judging} while judging`,
    cause,
  ]);
  expect(rows.map((row) => row.slice(0, 3))).toEqual(expected);
});
