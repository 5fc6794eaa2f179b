import { describe, expect, test } from "vitest";
import * as z from "zod";

import { connectorKeys } from "../../src/config/connector/connector-keys.ts";
import { serviceVariables } from "../../src/config/environment/service-config.ts";
import { inFiles } from "../../src/config/environment/variables.ts";
import { readRepositoryFile } from "./pages.ts";

/*
 * docs/configuration.md gives the defaults and values that the code has. connector-schema.test.ts holds that the page has
 * every key.
 */

interface Row {
  readonly fallback: string;
  readonly meaning: string;
}

/** The tables' rows by key; several keys may share a row. */
const ROWS: ReadonlyMap<string, Row> = new Map(
  [...readRepositoryFile("docs/configuration.md").matchAll(/^\| (`[^|]+`) \| (.+?) \| (.+) \|$/gm)]
    .flatMap(([, keys = "", fallback = "", meaning = ""]) =>
      keys.split(", ").map((key) => [key.replaceAll("`", ""), { fallback, meaning }] as const),
    )
    // The first table with the key: further down, the tables say what happens if a value changes.
    .toReversed(),
);

/** JSON Schema knows the defaults as they are written; the parser knows those that it computes. */
const { properties = {} } = z.toJSONSchema(connectorKeys, { io: "input" });

function defaultOf(key: string, schema: z.ZodType): string | undefined {
  const property = properties[key];
  const written = typeof property === "object" ? textOf(property.default) : undefined;
  return written ?? textOf(schema.safeParse(undefined).data);
}

function textOf(value: unknown): string | undefined {
  if (value instanceof Set) return [...value].join();
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean" ? `${value}` : undefined;
}

function textsOf(schema: z.ZodType): readonly string[] {
  const { anyOf = [], enum: texts = [] } = z.toJSONSchema(schema, { io: "input" });
  return [...texts, ...anyOf.flatMap((one) => one.enum ?? [])].filter((text) => typeof text === "string");
}

const ALL: readonly (readonly [string, z.ZodType])[] = [
  ...Object.entries(connectorKeys.shape),
  ...Object.entries(serviceVariables.shape),
];
const withDefault = ALL.flatMap(([key, schema]) => {
  const fallback = defaultOf(key, schema);
  return fallback === undefined ? [] : [[key, fallback] as const];
});
const withTexts = ALL.map(([key, schema]) => [key, textsOf(schema)] as const).filter(
  ([, texts]) => texts.length > 1 && !texts.includes("true"),
);

describe("docs/configuration.md", () => {
  test.each(withDefault)("gives the default of %s, which is %s", (key, fallback) => {
    expect(ROWS.get(key)?.fallback.replaceAll("`", "")).toBe(fallback);
  });

  test.each(withTexts)("names each value of %s", (key, texts) => {
    const { fallback, meaning } = ROWS.get(key) ?? { fallback: "", meaning: "" };
    expect(texts.filter((text) => !`${fallback} ${meaning}`.includes(`\`${text}\``))).toEqual([]);
  });

  test("marks the variables that may be given as a file, and no others", () => {
    const marked = Object.keys(serviceVariables.shape).filter((name) => ROWS.get(name)?.meaning.startsWith("†"));
    expect(marked).toEqual(inFiles(serviceVariables));
  });
});
