import { expect, it } from "vitest";
import type { Rules } from "../../../src/gate/state.ts";
import { findAmendment } from "../../../src/gate/update.ts";
import { ASK_REGISTRY } from "../../../src/guard/control/ask-registry.ts";
import type { Registry } from "../../../src/registry/client.ts";
import { schemaId } from "../../../src/table/shape.ts";
import { column, ID, idOf, madeOf, NAME, NICK, play, RULES, seen, stateOf } from "../../gate/customers.ts";

const WATCH: Rules = { ...RULES, mode: "watch" };
const { table, amendment } = findAmendment(play(WATCH, stateOf(), seen([ID, NAME, NICK])).state, idOf(NICK)) ?? {};

it.each([
  ["that the level rejects stops Debezium", false, "refused"],
  ["that the level would reject is accepted if it is a version already: a change was undone", true, "fits"],
])("a schema %s", async (_, isVersion, kind) => {
  if (table === undefined || amendment === undefined) throw new Error("no amendment");
  const { text } = madeOf(table, amendment, false, WATCH).candidate;
  const versions = [table.shape.valueSchema.text, ...(isVersion ? [text] : []), "syntax = proto3"];
  const registry = {
    check: async () => ({ kind: "incompatible", messages: ["no"] }),
    versions: async () => versions.map((__, index) => index + 1),
    version: async (___: string, version: number) => ({ id: schemaId(version), version, text: versions[version - 1] }),
  } as unknown as Registry; // what is asked of one
  expect(await ASK_REGISTRY.watch(WATCH, registry, table, amendment)).toMatchObject({ kind });
});

// Apicurio 3 says only that a schema is incompatible.
it.each([
  ["watch", "gets the reason of our own rules", /^MISSING_UNION_BRANCH at \/fields\/0/],
  ["guard", "says so, if our own rules have none against the widened schema either", /^the registry gave no reason$/],
] as const)("in %s mode, a refusal without a reason %s", async (mode, _, text) => {
  const rules: Rules = { ...RULES, mode };
  const level = column(4, "level", "int", { notNull: true });
  const found = findAmendment(play(rules, stateOf(), seen([ID, NAME, level])).state, idOf(level));
  if (found === undefined) throw new Error("no amendment");
  const registry = {
    check: async () => ({ kind: "incompatible", messages: [] }),
    level: async () => "BACKWARD",
    versions: async () => [],
  } as unknown as Registry; // what is asked of one
  expect(await ASK_REGISTRY[mode](rules, registry, found.table, found.amendment)).toMatchObject({
    kind: "refused",
    text: expect.stringMatching(text),
  });
});
