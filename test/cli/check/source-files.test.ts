import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { readTopicFiles } from "../../../src/cli/check/source-files.ts";

const envelope = (namespace: string) => JSON.stringify({ type: "record", name: "Envelope", namespace, fields: [] });
const TOPICS = ["shop.public.a-b", "shop.public.c"];

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "fieldgate-files-"));
  writeFileSync(join(folder, "ab.avsc"), envelope("shop.public.a_b"));
  writeFileSync(join(folder, "c.avsc"), envelope("shop.public.c"));
  writeFileSync(join(folder, "c2.avsc"), `\uFEFF${envelope("shop.public.c")} `);
  writeFileSync(join(folder, "other.avsc"), '{"type": "record", "name": "Customer", "fields": []}');
  writeFileSync(join(folder, "int.avsc"), '"int"');
  writeFileSync(join(folder, "row.avsc"), '{"type": "record", "name": "shop.public.a_b.Value", "fields": []}');
});
afterAll(() => rmSync(folder, { recursive: true }));

const topicsOf = (files: readonly string[], topics: readonly string[] = TOPICS) =>
  [...readTopicFiles(folder, files, topics).values()].map(({ topic, flowing }) => [topic, flowing.length]);

describe("the topic of a schema file", () => {
  it("follows from its namespace, in which `_` replaces characters that Avro does not allow", () => {
    expect(topicsOf(["ab.avsc", "c.avsc", "c2.avsc"])).toEqual([
      ["shop.public.a-b", 1],
      ["shop.public.c", 2],
    ]);
    expect(topicsOf(["row.avsc"])).toEqual([["shop.public.a-b", 1]]);
  });

  it("is the one written before it, or the only topic of the contracts", () => {
    expect(topicsOf(["shop.public.c=other.avsc"])).toEqual([["shop.public.c", 1]]);
    expect(topicsOf(["other.avsc"], ["shop.public.c"])).toEqual([["shop.public.c", 1]]);
  });

  it.each([
    ["other.avsc", /\[usage\] other.avsc belongs to no topic of the contracts: its schema is named Customer/],
    ["int.avsc", /\[usage\] int.avsc belongs to no topic of the contracts: its schema is not a record/],
    ["gone.avsc", /\[usage\] .*gone.avsc cannot be read/],
  ])("is not guessed: %s", (file, message) => {
    expect(() => topicsOf([file])).toThrow(message);
  });
});
