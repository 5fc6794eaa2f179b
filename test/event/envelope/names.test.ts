import { expect, test } from "vitest";
import { fieldName, namespaceName, topicName } from "../../../src/event/envelope/names.ts";
import { cases } from "../row.ts";

interface NamingCase {
  readonly id: string;
  readonly table?: string;
  readonly topic?: string;
}

const named = cases("debezium-naming-cases.jsonl") as readonly NamingCase[];

/** The two names in `schema."quoted ""table"""`. */
function split(table: string): readonly [string, string] {
  const names = [...table.matchAll(/"((?:[^"]|"")*)"|([^."]+)/g)].map(([, quoted, bare]) =>
    (quoted ?? bare ?? "").replaceAll('""', '"'),
  );
  return [names[0] ?? "", names[1] ?? ""];
}

test.each(named.filter((one) => one.table !== undefined))(
  "$id: the topic of $table is $topic",
  ({ table = "", topic }) => {
    expect(topicName("test_server", ...split(table))).toBe(topic);
  },
);

test("a topic name has at most 249 characters", () => {
  expect(topicName("p", "s", "t".repeat(300))).toHaveLength(249);
});

test.each([
  ["my-col", "my_col"],
  ["24ColumnName", "_24ColumnName"],
  ["ok_1", "ok_1"],
  ["größe", "gr__e"],
])("column %s is field %s", (column, name) => {
  expect(fieldName(column)).toBe(name);
});

test.each([
  ["_hello_语言", "_u005fhello_u005f_u8bed_u8a00"],
  ["24ColumnName", "_u00324ColumnName"],
  ["my-col.2", "my_u002dcol_u002e2"],
  ["š", "_u161"],
  ["ok1", "ok1"],
])("under avro_unicode column %s is field %s", (column, name) => {
  expect(fieldName(column, "avro_unicode")).toBe(name);
});

test("under none, a column's name is unchanged", () => {
  expect(fieldName("my-col", "none")).toBe("my-col");
});

test.each([
  ["inventory.public.customers", "inventory.public.customers"],
  ["my-shop.public.order-lines", "my_shop.public.order_lines"],
  ["shop.2024.9lives", "shop._2024._9lives"],
])("topic %s has schemas in namespace %s", (topic, namespace) => {
  expect(namespaceName(topic)).toBe(namespace);
});
