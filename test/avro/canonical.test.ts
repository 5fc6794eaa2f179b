import { createHash } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { expect, test } from "vitest";
import { canonicalForm, crc64Avro } from "../../src/avro/canonical.ts";
import { schemaHash } from "../../src/avro/hash.ts";
import { parseSchema } from "../../src/avro/parse.ts";
import { rows } from "./rows.ts";
import type { Json } from "../../src/json.ts";

interface Row {
  schema: Json;
  parsing_canonical_form: string;
  crc64avro: string;
  md5: string;
  sha256: string;
}

test("canonical forms and fingerprints equal Java's", () => {
  const all = rows<Row>("avro-canonical-forms.jsonl");
  expect(all.length).toBeGreaterThan(90);
  for (const { schema, parsing_canonical_form, crc64avro, md5, sha256 } of all) {
    const form = canonicalForm(parseSchema(schema));
    expect({
      schema,
      form,
      crc64avro: BigInt.asIntN(64, crc64Avro(form)).toString(),
      md5: createHash("md5").update(form).digest("hex"),
      sha256: createHash("sha256").update(form).digest("hex"),
    }).toEqual({ schema, form: parsing_canonical_form, crc64avro, md5, sha256 });
  }
});

test("a canonical form is its own canonical form", () => {
  for (const { parsing_canonical_form: form } of rows<Row>("avro-canonical-forms.jsonl")) {
    expect(canonicalForm(parseSchema(JSON.parse(form)))).toBe(form);
  }
});

test("a schema's hash depends on everything but the order of keys", () => {
  const field = { name: "a", type: "int", default: 1 };
  const hash = (more: object): string => schemaHash({ type: "record", name: "R", fields: [{ ...field, ...more }] });
  expect(schemaHash({ fields: [{ default: 1, type: "int", name: "a" }], name: "R", type: "record" })).toBe(hash({}));
  const variants = [{}, { default: 2 }, { "connect.name": "x" }, { doc: "d" }, { aliases: ["b"] }].map(hash);
  expect(new Set(variants).size).toBe(variants.length);
  expect(hash({})).toMatch(/^[\da-f]{64}$/);
});

test("equal hashes mean equal JSON", () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 3 }), fc.jsonValue({ maxDepth: 3 }), (a, b) => {
      const [left, right] = [JSON.parse(JSON.stringify(a)), JSON.parse(JSON.stringify(b))];
      expect(schemaHash(left)).toBe(schemaHash(structuredClone(left)));
      expect(schemaHash(left) === schemaHash(right)).toBe(isDeepStrictEqual(left, right));
    }),
  );
});
