import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { z } from "zod";

import { connectorKeys } from "../../../src/config/connector/connector-keys.ts";
import { TABLE_KEYS } from "../../../src/config/connector/table-keys.ts";
import { serviceVariables } from "../../../src/config/environment/service-config.ts";

const FROM_ELSEWHERE = { type: "string", pattern: String.raw`\$\{(env|file|dir|directory):[^}]+\}` };

/** The flat form, for editors. Debezium's other keys are not listed, since each is treated differently. */
function connectorSchema(): object {
  const { properties = {}, $schema } = z.toJSONSchema(connectorKeys, { io: "input" });
  return {
    $schema,
    title: "A connector file of Fieldgate",
    type: "object",
    properties: Object.fromEntries(
      Object.entries(properties).map(([key, property]) => {
        if (typeof property === "boolean") return [key, property];
        const { must: _must, example, description, default: fallback, ...rule } = property;
        return [key, { description, examples: [example], default: fallback, anyOf: [rule, FROM_ELSEWHERE] }];
      }),
    ),
    patternProperties: {
      ...Object.fromEntries(
        Object.entries(TABLE_KEYS).map(([key, values]) => [
          String.raw`^${key.replaceAll(".", String.raw`\.`)}\..+`,
          { enum: values },
        ]),
      ),
      [String.raw`^fieldgate\.severity\.(meaning|runtime)/.+`]: {
        type: "string",
        pattern: String.raw`^\s*(error|warning) until \d{4}-\d{2}-\d{2}: *\S`,
        examples: ["warning until 2026-12-31: readers take both"],
      },
    },
    required: ["database.hostname", "database.user", "database.password", "database.dbname", "topic.prefix"],
    additionalProperties: true,
  };
}

describe("the files that describe the settings", () => {
  it("schemas/connector.schema.json is generated from the keys that are checked (vitest -u writes it)", async () => {
    const text = `${JSON.stringify(connectorSchema(), null, 2)}\n`;
    await expect(text).toMatchFileSnapshot("../../../schemas/connector.schema.json");
  });

  const page = readFileSync(new URL("../../../docs/configuration.md", import.meta.url), "utf8");

  /** The keys in the first columns of the tables; several may share a row. */
  const rows = page.split("\n").flatMap((line) => /^\| (`.*?) \|/.exec(line)?.[1]?.split(", ") ?? []);

  it.each(Object.keys(connectorKeys.shape))("docs/configuration.md has %s", (key) => {
    expect(rows).toContain(`\`${key}\``);
  });

  it.each(Object.keys(TABLE_KEYS))("docs/configuration.md has %s.<schema.table>", (key) => {
    expect(rows).toContain(`\`${key}.<schema.table>\``);
  });

  it.each([...Object.keys(serviceVariables.shape), "FIELDGATE_URL"])("docs/configuration.md has %s", (name) => {
    expect(page).toContain(`| \`${name}\` |`);
  });
});
