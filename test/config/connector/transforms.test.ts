import { describe, expect, it } from "vitest";

import type { Mistake } from "../../../src/mistake.ts";
import { regexRoute } from "../../../src/config/connector/route.ts";
import { readTransforms } from "../../../src/config/connector/transforms.ts";

const UNWRAP = "io.debezium.transforms.ExtractNewRecordState";
const ROUTE = "org.apache.kafka.connect.transforms.RegexRouter";

function read(transforms: string, keys: Readonly<Record<string, string>>) {
  const mistakes: Mistake[] = [];
  const named = Object.fromEntries(Object.entries(keys).map(([key, value]) => [`transforms.${key}`, value]));
  return { ...readTransforms({ transforms, ...named }, mistakes), mistakes };
}

// The expected topics are those that RegexRouter of Kafka Connect 4.3.1 produces.
describe("a route", () => {
  it.each([
    [String.raw`([^.]+)\.([^.]+)\.([^.]+)`, "$3", "orders.sales.invoices", "invoices"],
    [String.raw`([^.]+)\.([^.]+)\.([^.]+)`, "$1-$3", "Orders.sales.Invoices", "Orders-Invoices"],
    [String.raw`orders\.(.*)`, "cdc.$1", "Orders.public.t", "Orders.public.t"],
    [String.raw`orders\.(.*)`, "cdc.$1", "orders.public.t", "cdc.public.t"],
    ["a|ab", "x", "ab", "xb"],
    ["(a)(b)?(.*)", "$2$3-$1", "ac", "c-a"],
    ["(.*)", "$10", "t", "t0"],
    ["(.)(.)(.)(.)(.)(.)(.)(.)(.)(.)", "$10$1", "abcdefghij", "ja"],
    [String.raw`(.*)\.(?<name>.*)`, "$2", "a.b", "b"],
    ["(.*)", String.raw`\$1_\x`, "t", "$1_x"],
    [".*", "all", "p.s.t", "all"],
    ["p.*", "", "p.s.t", ""],
    ["(.*)", "$0$0", "t", "tt"],
    [String.raw`[A-Z]\w+`, "x", "Tt", "x"],
    [String.raw`[A-Z]\w+`, "x", "tt", "tt"],
  ])("by %s and %s renames %s to %s", (regex, replacement, topic, routed) => {
    const made = regexRoute(regex, replacement);
    expect(made.kind === "route" ? made.route(topic) : made).toBe(routed);
  });

  it.each([
    ["(.*)", "$2", "replacement", /names a group other than \$1 to \$1/],
    ["(.*)", "$x", "replacement", /`\$` that is not written/],
    ["(.*)", "a$", "replacement", /`\$` that is not written/],
    ["(.*)", "a\\", "replacement", /`\$` that is not written/],
    ["(", "a", "regex", /is not a regular expression/],
    ["(?i)a", "a", "regex", /\(\?i\)/],
  ])("by %s and %s is refused for its %s", (regex, replacement, option, why) => {
    expect(regexRoute(regex, replacement)).toEqual({ kind: "refused", option, why: expect.stringMatching(why) });
  });
});

describe("the transforms of a watched Debezium", () => {
  it("may be none, or leave schemas and topics alone", () => {
    expect(read("", {})).toEqual({ unwrapped: undefined, route: undefined, mistakes: [] });
    expect(read(" , stamp", { "stamp.type": "org.apache.kafka.connect.transforms.InsertHeader" })).toEqual({
      unwrapped: undefined,
      route: undefined,
      mistakes: [],
    });
  });

  it.each<[string, Readonly<Record<string, string>>, readonly string[]]>([
    ["nothing", {}, []],
    ["fields", { "add.fields": "op, source.lsn,ts_ms:time" }, ["__op", "__source_lsn", "__time"]],
    ["a different prefix", { "add.fields": "op", "add.fields.prefix": "cdc_" }, ["cdc_op"]],
    ["no prefix", { "add.fields": "op,table", "add.fields.prefix": "" }, ["op", "table"]],
    ["deletes", { "delete.tombstone.handling.mode": "rewrite-with-tombstone" }, ["__deleted"]],
    ["deletes, before 2.5", { "delete.handling.mode": "rewrite" }, ["__deleted"]],
    ["tombstones only", { "delete.tombstone.handling.mode": "tombstone", "drop.tombstones": "false" }, []],
  ])("unwrap rows and add: %s", (_, options, added) => {
    const keys = Object.fromEntries(Object.entries(options).map(([name, value]) => [`flat.${name}`, value]));
    const { unwrapped, mistakes } = read("flat", { "flat.type": UNWRAP, ...keys });
    expect(mistakes).toEqual([]);
    expect([...(unwrapped ?? ["not unwrapped"])]).toEqual(added);
  });

  it("are applied one after the other", () => {
    const { route } = read("first,then", {
      "first.type": ROUTE,
      "first.regex": "(.*)",
      "first.replacement": "a.$1",
      "then.type": ROUTE,
      "then.regex": String.raw`a\.(.*)`,
      "then.replacement": "b.$1",
    });
    expect(route?.("t")).toBe("b.t");
  });

  it.each<[string, Readonly<Record<string, string>>, string]>([
    [
      "an outbox",
      { "x.type": "io.debezium.transforms.outbox.EventRouter" },
      "transforms.x.type is not supported. Supported are",
    ],
    ["no type at all", {}, "transforms.x.type is not supported. Supported are"],
    [
      "fields dropped by a header",
      { "x.type": UNWRAP, "x.drop.fields.header.name": "h" },
      "transforms.x.drop.fields.header.name is not supported",
    ],
    [
      "a topic by a row's field",
      { "x.type": UNWRAP, "x.route.by.field": "f" },
      "transforms.x.route.by.field is not supported",
    ],
    [
      "a route for only some records",
      { "x.type": ROUTE, "x.regex": "a", "x.replacement": "b", "x.predicate": "p" },
      "transforms.x.predicate is not supported",
    ],
    [
      "an invalid expression",
      { "x.type": ROUTE, "x.regex": "(", "x.replacement": "b" },
      "transforms.x.regex is not a regular expression",
    ],
  ])("cannot be %s", (_, keys, mistake) => {
    const { mistakes } = read("x", keys);
    expect(mistakes.map(({ key, reason }) => `${key} ${reason}`)).toEqual([expect.stringContaining(mistake)]);
  });
});
