import { readFileSync } from "node:fs";
import avsc from "avsc";
import { expect, test } from "vitest";
import { partitionOf } from "../../../src/event/envelope/partition.ts";
import type { Json } from "../../../src/json.ts";

const PAGE = readFileSync(new URL("../../../docs/rules/meaning/key-changed.md", import.meta.url), "utf8");

/** The bytes of a key in an event: Confluent's header with the schema's id, then Avro. */
function keyBytes(id: number, columns: Readonly<Record<string, Json>>, key: object): Buffer {
  const fields = Object.entries(columns).map(([name, type]) => ({ name, type }));
  const schema = { type: "record", name: "Key", fields } as unknown as avsc.Schema; // JSON is what avsc parses
  const header = Buffer.alloc(5);
  header.writeInt32BE(id, 1);
  return Buffer.concat([header, avsc.Type.forSchema(schema).toBuffer(key)]);
}

const hex = (bytes: Buffer) => bytes.toString("hex").replaceAll(/(..)(?=.)/g, "$1 ");

test.each([
  ["(id)", keyBytes(3, { id: "int" }, { id: 2 }), 1],
  ["(id, email)", keyBytes(7, { id: "int", email: "string" }, { id: 2, email: "ada2@b" }), 3],
  ["(id) of another row", keyBytes(3, { id: "int" }, { id: 1 }), 0],
  ["(id) as bigint: the same value under another schema's id", keyBytes(7, { id: "long" }, { id: 1 }), 3],
])("a changed key moves to the partition that the rule's page shows: %s", (_, bytes, partition) => {
  expect(partitionOf(bytes, "inventory.public.customers", 6)).toBe(partition);
  expect(PAGE).toContain(`\`${hex(bytes)}\` | partition ${partition}`);
});
