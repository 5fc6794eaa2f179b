import { describe, expect, it } from "vitest";
import { envelopeSchema, keySchema, rowSchema } from "../../../src/event/envelope/schema.ts";
import { findAmendment, withheldOf } from "../../../src/gate/update.ts";
import type { Reason } from "../../../src/gate/decision/reason.ts";
import type { Input, Rules, State, TableState } from "../../../src/gate/state.ts";
import { asItsColumns } from "../../../src/gate/watch/unpublished.ts";
import { attnum, type Column } from "../../../src/table/column.ts";
import { type Field, schemaId } from "../../../src/table/shape.ts";
import {
  column,
  effectsOf,
  fieldFor,
  fieldNames,
  fits,
  ID,
  idOf,
  madeOf,
  NAME,
  NICK,
  OIDS,
  PASSED,
  play,
  publishing,
  release,
  REPLICA,
  RULES,
  seen,
  stateOf,
  tableIn,
  tableOf,
  TOPIC,
  ZIP,
} from "../customers.ts";

const WATCH: Rules = { ...RULES, mode: "watch" };
const nick = idOf(NICK);
const NEW = seen([ID, NAME, NICK]);

/** The table's primary key, which identifies old rows in the log. */
function primary(columns: readonly Column[]) {
  const key = columns.map((each) => each.attnum);
  return { key, identified: key };
}

/** Debezium registered these fields, and the table has these columns at that position. */
function observed(
  fields: readonly (Column | Field)[],
  columns: readonly Column[],
  more: { readonly id?: number; readonly keyed?: readonly Column[] } = {},
): Input {
  const made = fields.map((one) => ("avro" in one ? one : fieldFor(one)));
  const value = { id: schemaId(more.id ?? 7), text: JSON.stringify(envelopeSchema(TOPIC, made)) };
  const keyJson = keySchema(TOPIC, (more.keyed ?? []).map(fieldFor));
  const key = keyJson === undefined ? undefined : { id: schemaId(8), text: JSON.stringify(keyJson) };
  const table = more.keyed === undefined ? tableOf(columns) : { ...tableOf(columns), ...primary(more.keyed) };
  return { kind: "observed", topic: TOPIC, value, key, table };
}

const gateOf = (state: State, id: string) => findAmendment(state, id)?.amendment.gate;
const withContract = stateOf(publishing(), { ...REPLICA });
const judged = play(WATCH, withContract, NEW, (now) => fits(now, nick));

describe("an amendment in watch mode", () => {
  it("is judged and alerted, names the consumers that would break, and is never registered", () => {
    expect(effectsOf(judged)).toEqual([`alert ${nick}`]);
    expect(gateOf(judged.state, nick)).toMatchObject({
      kind: "withheld",
      reason: { kind: "debezium-next-row-anyway", consumers: ["replica"] },
    });
  });

  const answers: readonly [string, State, "fits" | "refused" | "unanswered", Reason][] = [
    ["that no consumer opposes", stateOf(), "fits", { kind: "debezium-next-row", contracts: 0 }],
    ["that the level rejects", withContract, "refused", { kind: "debezium-stops", text: "no" }],
    [
      "without an answer from the registry",
      withContract,
      "unanswered",
      { kind: "registry-unanswered", code: "registry-down", text: "no" },
    ],
  ];
  it.each(answers)("%s says so", (_, state, kind, reason) => {
    const step = play(WATCH, state, NEW, (now) => {
      const input = fits(now, nick);
      if (input.kind !== "judged" || input.answer.kind !== "fits") return input;
      const { candidate } = input.answer;
      if (kind === "fits") return input;
      const text = "no";
      return {
        ...input,
        answer: kind === "refused" ? { kind, candidate, text } : { kind, code: "registry-down", text },
      };
    });
    expect(gateOf(step.state, nick)?.reason).toEqual(reason);
    expect(effectsOf(step)).toEqual([`alert ${nick}`]);
  });

  it.each(["release", "withhold", "fill"] as const)("cannot be decided on: %s is refused with the reason", (kind) => {
    const step = play(WATCH, judged.state, release([nick], { kind, force: true, reason: "we must" }));
    expect(step.state.outcomes.get("c1")).toEqual({ kind: "refused", refusals: [{ kind: "watch-mode" }] });
    expect(gateOf(step.state, nick)).toEqual(gateOf(judged.state, nick));
  });
});

describe("observed: the schema that Debezium registered", () => {
  it("releases what it carries, with the schema's id and who was not ready", () => {
    const step = play(WATCH, judged.state, observed([ID, NAME, NICK], [ID, NAME, NICK]));
    expect(effectsOf(step)).toEqual([`alert ${nick}`]);
    expect(gateOf(step.state, nick)).toMatchObject({
      kind: "released",
      reason: { kind: "schema-registered", subject: `${TOPIC}-value`, schemaId: 7 },
      schemaId: 7,
      wouldHaveWaitedFor: ["replica"],
    });
    expect(fieldNames(step.state)).toEqual(["id", "name", "nick"]);
    const { shape, flowed } = tableIn(step.state);
    expect(shape.valueSchema.id).toBe(7);
    expect(flowed.map(({ id }) => id)).toEqual([1, 7]);
    expect(step.state.jobs.size).toBe(0);
  });

  it("again changes nothing", () => {
    const input = observed([ID, NAME, NICK], [ID, NAME, NICK]);
    const once = play(WATCH, judged.state, input);
    const twice = play(WATCH, once.state, input);
    expect(twice.effects).toEqual([]);
    expect(tableIn(twice.state)).toEqual(tableIn(once.state));
  });

  it("before any row or message was seen still names the consumers that were not ready", () => {
    const step = play(WATCH, withContract, observed([ID, NAME, NICK], [ID, NAME, NICK]));
    expect(gateOf(step.state, nick)).toMatchObject({ kind: "released", wouldHaveWaitedFor: ["replica"] });
    expect(findAmendment(step.state, nick)?.amendment.verdicts[0]?.findings).not.toEqual([]);
  });

  it("without one of two leaves that one waiting, to be judged again on the new shape", () => {
    const both = play(WATCH, stateOf(), seen([ID, NAME, NICK, ZIP]));
    const step = play(WATCH, both.state, observed([ID, NAME, NICK], [ID, NAME, NICK, ZIP]));
    expect(withheldOf(tableIn(step.state)).map(({ id }) => id)).toEqual([idOf(ZIP)]);
    expect(effectsOf(step)).toEqual([`judge ${idOf(ZIP)}`, `alert ${nick}`]);
  });

  const INT = column(2, "name", "bigint");
  const LABEL = column(2, "label", "text");
  const DEFAULT = column(2, "name", "text", { defaultExpr: "'x'::text" });
  const NOT_NULL = column(2, "name", "text", { notNull: true });
  const name = idOf(NAME);
  const changes: readonly [string, readonly Column[], readonly (Column | Field)[]][] = [
    ["dropped", [ID], [ID]],
    ["retyped", [ID, INT], [ID, INT]],
    ["renamed", [ID, LABEL], [ID, LABEL]],
    ["given a default", [ID, DEFAULT], [ID, DEFAULT]],
    [
      "given a default that Debezium reads differently",
      [ID, DEFAULT],
      [ID, fieldFor({ ...NAME, defaultExpr: "'y'::text" })],
    ],
    ["made NOT NULL", [ID, NOT_NULL], [ID, NOT_NULL]],
  ];
  it.each(changes)("releases a column that was %s", (_, columns, fields) => {
    const waiting = play(WATCH, stateOf(), seen(columns));
    expect(gateOf(waiting.state, name)?.kind).toBe("withheld");
    const other = play(WATCH, waiting.state, observed([ID, NAME, fieldFor(ZIP)], columns, { id: 6 }));
    expect(gateOf(other.state, name)?.kind).toBe("withheld");
    const step = play(WATCH, waiting.state, observed(fields, columns));
    expect(gateOf(step.state, name)).toMatchObject({ kind: "released", schemaId: 7 });
    expect(withheldOf(tableIn(step.state))).toEqual([]);
  });

  it("releases a column that replaced a dropped one with its name, under the existing schema", () => {
    const again = column(5, "name", "text");
    const waiting = play(WATCH, stateOf(), seen([ID, again]));
    expect(withheldOf(tableIn(waiting.state))).toHaveLength(2);
    const step = play(WATCH, waiting.state, observed([ID, NAME], [ID, again], { id: 1 }));
    expect(withheldOf(tableIn(step.state))).toEqual([]);
    expect(tableIn(step.state).shape.fields.map((field) => field.attnum)).toEqual([attnum(1), attnum(5)]);
  });

  it("releases a new key with the key's schema", () => {
    const composed = seen([ID, NAME], { key: [1, 2] });
    const waiting = play(WATCH, stateOf(), composed);
    const key = `${TOPIC}/key`;
    expect(gateOf(waiting.state, key)?.kind).toBe("withheld");
    const step = play(WATCH, waiting.state, observed([ID, NAME], [ID, NAME], { id: 1, keyed: [ID, NAME] }));
    expect(gateOf(step.state, key)).toMatchObject({
      kind: "released",
      reason: { kind: "schema-registered", subject: `${TOPIC}-key`, schemaId: 8 },
    });
    expect(tableIn(step.state).shape.key.map((field) => field.name)).toEqual(["id", "name"]);
  });

  it("names the consumers that were not ready for a new key, before and after", () => {
    const key = `${TOPIC}/key`;
    const waiting = play(WATCH, withContract, seen([ID, NAME], { key: [1, 2] }), (now) => fits(now, key));
    expect(gateOf(waiting.state, key)?.reason).toEqual({
      kind: "debezium-key",
      consumers: ["replica"],
      keyless: false,
    });
    const step = play(WATCH, waiting.state, observed([ID, NAME], [ID, NAME], { id: 1, keyed: [ID, NAME] }));
    expect(gateOf(step.state, key)).toMatchObject({ kind: "released", wouldHaveWaitedFor: ["replica"] });
    expect(findAmendment(step.state, key)?.amendment.verdicts).toMatchObject([{ verdict: "not-ready" }]);
  });

  it("releases a dropped key once rows without it have PASSED, and does not bring it back", () => {
    const key = `${TOPIC}/key`;
    const bare = seen([ID, NAME], { keyed: false });
    const without = observed([ID, NAME], [ID, NAME], { id: 1, keyed: [] });
    if (without.kind !== "observed") throw new Error("no observation");
    // The key's subject still has its last version.
    const old = { id: schemaId(2), text: JSON.stringify(keySchema(TOPIC, [fieldFor(ID)])) };
    const late: Input = { ...without, key: old };
    const later: Input = { ...late, value: { ...without.value, id: schemaId(9) } };
    const waiting = play(WATCH, stateOf(), bare, late);
    expect(gateOf(waiting.state, key)).toMatchObject({
      kind: "withheld",
      reason: { kind: "debezium-key", keyless: true },
    });
    const step = play(WATCH, waiting.state, PASSED, late);
    expect(gateOf(step.state, key)).toMatchObject({ kind: "released", reason: { kind: "rows-without-key" } });
    expect(tableIn(step.state).shape).toMatchObject({ key: [], keySchema: undefined });
    const next = play(WATCH, step.state, later, bare);
    expect(tableIn(next.state).shape).toMatchObject({ key: [], valueSchema: { id: 9 } });
    expect(withheldOf(tableIn(next.state))).toEqual([]);
  });

  it("judges a new key with the columns that come with it", () => {
    const key = `${TOPIC}/key`;
    const waiting = play(WATCH, withContract, seen([ID, NAME, ZIP], { key: [1, 4] }));
    const found = findAmendment(waiting.state, key);
    if (found === undefined) throw new Error("no amendment");
    const { candidate } = madeOf(found.table, found.amendment, false, WATCH);
    expect(JSON.parse(candidate.text)).toMatchObject({ fields: [{ name: "id" }, { name: "zip" }] });
  });

  it("keeps the name that the table gave the topic, if a new key's topic is renamed", () => {
    const table = publishing();
    const named = { id: schemaId(2), text: JSON.stringify(keySchema("shop.public.customers", table.shape.key)) };
    const renamed = stateOf({ ...table, shape: { ...table.shape, keySchema: named } });
    const { state } = play(WATCH, renamed, seen([ID, NAME], { key: [2] }));
    const found = findAmendment(state, `${TOPIC}/key`);
    if (found === undefined) throw new Error("no amendment");
    const { candidate } = madeOf(found.table, found.amendment, false, WATCH);
    expect(candidate.text).toBe(JSON.stringify(keySchema("shop.public.customers", [fieldFor(NAME)])));
  });

  it("records the groups that no contract named", () => {
    const group = { group: "sink", members: 1, offsets: new Map(), readers: new Map() };
    const poll = { kind: "seen", at: 1, byTopic: new Map([[TOPIC, [group]]]) } as const;
    const step = play(WATCH, judged.state, { kind: "groups", poll }, observed([ID, NAME, NICK], [ID, NAME, NICK]));
    expect(gateOf(step.state, nick)).toMatchObject({ unnamed: { kind: "known", groups: ["sink"] } });
  });

  it("a column of a type that only Debezium maps is a field like any other", () => {
    const lsn = column(3, "at", "tid");
    const field: Field = { ...fieldFor(NICK), name: "at", avro: { ...fieldFor(NICK).avro, name: "at" } };
    const step = play(WATCH, stateOf(), seen([ID, NAME, lsn]), observed([ID, NAME, field], [ID, NAME, lsn]));
    expect(withheldOf(tableIn(step.state))).toEqual([]);
    expect(tableIn(step.state).shape.fields.at(-1)).toMatchObject({ attnum: 3, type: { oid: OIDS.tid } });
  });

  it("a version that lacks a published field makes it wait again", () => {
    const before = play(WATCH, stateOf(publishing([ID, NAME, NICK])), observed([ID, NAME], [ID, NAME, NICK]));
    expect(withheldOf(tableIn(before.state)).map(({ id, kind }) => [id, kind])).toEqual([[nick, "added"]]);
  });

  const odd: readonly [string, string][] = [
    ["not JSON", "syntax = proto3"],
    ["not an envelope", '{"type":"record","name":"V","fields":[]}'],
  ];
  it.each(odd)("that is %s changes nothing", (_, text) => {
    const input = { ...observed([ID], [ID]), value: { id: schemaId(9), text } } as Input; // the same with another text
    expect(play(WATCH, judged.state, input)).toEqual({ state: judged.state, effects: [] });
  });

  it("of a different table, or of a topic that is not captured, changes nothing", () => {
    const input = observed([ID, NAME, NICK], [ID, NAME, NICK]);
    const elsewhere = { ...input, topic: "other" } as Input; // the same of another topic
    expect(play(WATCH, judged.state, elsewhere).state).toEqual(judged.state);
  });

  it("keeps Debezium's own source block in the candidate", () => {
    const old = observed([ID, NAME], [ID, NAME, NICK]);
    if (old.kind !== "observed") throw new Error("no observation");
    const text = old.value.text
      .replace('{"name":"origin_lsn","type":["null","long"],"default":null}', "")
      .replace(",]", "]");
    const step = play(WATCH, stateOf(), { ...old, value: { ...old.value, text } });
    const found = findAmendment(step.state, nick);
    if (found === undefined) throw new Error("no amendment");
    const { candidate } = madeOf(found.table, found.amendment, false, WATCH);
    expect(candidate.text).not.toContain("origin_lsn");
    expect(candidate.text).toContain('"nick"');
  });
});

describe("an unwrapped row", () => {
  const rules: Rules = { ...WATCH, unwrapped: new Set(["__op"]) };
  const OP = { name: "__op", type: ["null", "string"], default: null };
  const row = (fields: readonly Column[], columns: readonly Column[]): Input => {
    const made = rowSchema(TOPIC, fields.map(fieldFor)) as { readonly fields: readonly unknown[] }; // a record
    const value = { id: schemaId(7), text: JSON.stringify({ ...made, fields: [...made.fields, OP] }) };
    return { kind: "observed", topic: TOPIC, value, key: undefined, table: tableOf(columns) };
  };
  const followed = play(rules, withContract, row([ID, NAME], [ID, NAME])).state;

  it("is followed; fields added to it belong to no column", () => {
    expect(fieldNames(followed)).toEqual(["id", "name"]);
    expect(tableIn(followed)).toMatchObject({ amendments: [], shape: { valueSchema: { id: 7 } } });
  });

  it("has a new column before the added fields, loses a dropped one, and is judged like envelopes", () => {
    const coming = (columns: readonly Column[], id: string) => {
      const found = findAmendment(play(rules, followed, seen(columns)).state, id);
      if (found === undefined) throw new Error("no amendment");
      const { candidate } = madeOf(found.table, found.amendment, false, rules);
      return (JSON.parse(candidate.text) as { readonly fields: readonly { name: string }[] }).fields.map((f) => f.name);
    };
    expect(coming([ID, NAME, NICK], nick)).toEqual(["id", "name", "nick", "__op"]);
    expect(coming([ID], idOf(NAME))).toEqual(["id", "__op"]);
    const step = play(rules, followed, NEW, (now) => fits(now, nick, rules));
    expect(gateOf(step.state, nick)?.reason).toMatchObject({ consumers: ["replica"] });
  });

  it("cannot be followed if no transform unwraps rows", () => {
    expect(play(WATCH, withContract, row([ID, NAME, NICK], [ID, NAME, NICK])).state).toEqual(withContract);
  });
});

describe("a table without published events", () => {
  const columns = (...all: readonly Column[]) => all.map((one) => ({ column: one, gone: false }));
  const unpublished: TableState = {
    ...asItsColumns(WATCH, publishing(), columns(ID, NAME), [ID.attnum]),
    unpublished: true,
  };

  it("has the shape of its columns, whatever happens to them", () => {
    const step = play(WATCH, stateOf(unpublished), NEW);
    expect(step.effects).toEqual([]);
    expect(tableIn(step.state)).toMatchObject({ amendments: [], unpublished: true });
    expect(fieldNames(step.state)).toEqual(["id", "name", "nick"]);
  });

  it("has the shape of the first schema, and a column missing from that is an amendment", () => {
    const step = play(WATCH, stateOf(unpublished), NEW, observed([ID, NAME], [ID, NAME, NICK]));
    expect(tableIn(step.state).unpublished).toBeUndefined();
    expect(tableIn(step.state).flowed.map(({ id }) => id)).toEqual([7]);
    expect(withheldOf(tableIn(step.state)).map(({ id }) => id)).toEqual([nick]);
    expect(effectsOf(step)).toEqual([`judge ${nick}`]);
  });
});

describe("a different table with the name", () => {
  it("is accepted at once, because Debezium continues with the new table", () => {
    const other = { ...tableOf([ID, NAME]), oid: 6000 } as ReturnType<typeof tableOf>; // another table's OID
    const step = play(WATCH, stateOf(), { kind: "replaced", topic: TOPIC, table: other });
    expect(tableIn(step.state).shape.table.oid).toBe(6000);
    expect(gateOf(step.state, `${TOPIC}/table`)).toMatchObject({ kind: "released" });
    expect(step.state.jobs.size).toBe(0);
    expect(effectsOf(step)).toEqual([`alert ${TOPIC}/table`]);
  });
});
