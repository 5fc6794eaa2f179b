import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { BREAKS } from "./break-list.ts";

it.each(BREAKS)("the text that this break replaces is in the sources exactly once: $name", async ({ file, from }) => {
  const text = await readFile(join(import.meta.dirname, "../..", file), "utf8");
  expect(text.split(from)).toHaveLength(2);
});
