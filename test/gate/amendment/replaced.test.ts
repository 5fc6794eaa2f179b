import { describe, expect, it } from "vitest";
import { newJob } from "../../../src/chunk/job.ts";
import type { Input, State } from "../../../src/gate/state.ts";
import { findAmendment, withheldOf } from "../../../src/gate/update.ts";
import { attnum, type Column, type Table, tableOid } from "../../../src/table/column.ts";
import {
  column,
  effectsOf,
  fieldNames,
  fits,
  ID,
  NAME,
  NICK,
  play,
  publishing,
  release,
  RULES,
  seen,
  stateOf,
  tableIn,
  tableOf,
  TOPIC,
  withPolicy,
  ZIP,
} from "../customers.ts";

const id = `${TOPIC}/table`;
const at = (place: number, of: Column) => ({ ...of, attnum: attnum(place) });
const other = (columns: readonly Column[], oid = 6000): Table => ({ ...tableOf(columns), oid: tableOid(oid) });
const news = (table: Table): Input => ({ kind: "replaced", topic: TOPIC, table });
const OTHER = other([ID, at(2, ZIP), at(3, NAME)]);
const before = stateOf(publishing([ID, NAME, NICK]));
const letIn = (state: State) => play(RULES, state, release([id], { reason: "restored" }));
const replaced = letIn(play(RULES, before, news(OTHER)).state).state;
const attnums = (state: State) => tableIn(state).shape.fields.map((field) => Number(field.attnum));

describe("a different table with the name of a captured one", () => {
  it("alerts once, and changes nothing by itself under any policy", () => {
    for (const policy of ["observe", "contracts", "manual"] as const) {
      const step = play(withPolicy(policy), before, news(OTHER));
      expect(effectsOf(step)).toEqual([`alert ${id}`]);
      expect(findAmendment(step.state, id)?.amendment).toMatchObject({
        kind: "table",
        gate: { kind: "withheld", reason: { kind: "table-replaced" } },
      });
      expect(tableIn(step.state).shape).toBe(tableIn(before).shape);
      expect(play(RULES, step.state, news(OTHER)).effects).toEqual([]);
      const settled = play(withPolicy(policy), step.state, { kind: "settle", topic: TOPIC }, { kind: "ask", id });
      expect(settled.effects).toEqual([]);
      expect(findAmendment(settled.state, id)?.amendment.gate).toMatchObject({
        reason: { kind: "table-replaced" },
      });
    }
  });

  it("can be accepted although the captured one lacked columns in the log when its name was taken", () => {
    const lacking: Input = { kind: "replaced", topic: TOPIC, table: tableOf([ID]), unexplained: "columns-not-sent" };
    const step = play(RULES, play(RULES, before, lacking).state, news(OTHER));
    expect(effectsOf(step)).toEqual([`alert ${id}`]);
    expect(findAmendment(step.state, id)?.amendment.gate.reason).toEqual({ kind: "table-replaced" });
    expect(tableIn(letIn(step.state).state).shape.table.oid).toBe(OTHER.oid);
  });

  it("does not count if it is the captured one, or belongs to a topic that is not captured", () => {
    expect(play(RULES, before, news(tableOf([ID])))).toEqual({ state: before, effects: [] });
    expect(play(RULES, before, { kind: "replaced", topic: "x", table: OTHER })).toEqual({ state: before, effects: [] });
  });

  it("is withdrawn once the other table is gone or has lost the name", () => {
    const waiting = play(RULES, before, news(OTHER), { kind: "replacement-rows", topic: TOPIC, rows: 2 }).state;
    expect(tableIn(waiting).replacementRows).toBe(2);
    const over = play(RULES, waiting, { kind: "replaced-over", topic: TOPIC }).state;
    expect(findAmendment(over, id)).toBeUndefined();
    expect(tableIn(over)).toMatchObject({ replacement: undefined, replacementRows: undefined });
  });

  it("still waits while the captured one goes on under another name", () => {
    const waiting = play(RULES, before, news(OTHER), seen([ID, NAME, NICK], { as: "customers_old" })).state;
    expect(findAmendment(waiting, id)?.amendment.gate.kind).toBe("withheld");
    expect(tableIn(waiting)).toMatchObject({ replacement: OTHER, capturedAs: { name: "customers" } });
  });

  it("may be the captured one itself, where the catalog does not explain the columns in the log", () => {
    const same = tableOf([ID, at(3, NAME)]);
    const step = play(RULES, before, {
      kind: "replaced",
      topic: TOPIC,
      table: same,
      unexplained: "columns-unexplained",
    });
    expect(effectsOf(step)).toEqual([`alert ${id}`]);
    expect(findAmendment(step.state, id)?.amendment.gate.reason).toEqual({ kind: "columns-unexplained" });
    expect(attnums(letIn(step.state).state)).toEqual([1, 3, -3]);
    expect(letIn(step.state).state.jobs.get(`repair/${TOPIC}`)).toMatchObject({ state: "running" });
  });

  it("that lacks columns in the log is taken in again once all its columns are sent", () => {
    const same = tableOf([ID, NAME, NICK]);
    const lacking = { kind: "replaced", topic: TOPIC, table: same, unexplained: "columns-not-sent" } as const;
    const waiting = play(RULES, before, lacking).state;
    expect(play(RULES, waiting, release([id], { reason: "anyway" })).state.outcomes.get("c1")).toMatchObject({
      kind: "refused",
      refusals: [{ kind: "blocked", reason: { kind: "columns-not-sent" } }],
    });
    const sent = { kind: "sent", published: "1.2 table:3.4", files: {}, attached: [] } as const;
    const step = play(RULES, waiting, { kind: "sent", topic: TOPIC, sent, news: { kind: "again" } });
    expect(tableIn(step.state)).toMatchObject({
      replacement: undefined,
      amendments: before.tables.get(TOPIC)?.amendments,
    });
    expect(step.state.jobs.get(`repair/${TOPIC}`)).toMatchObject({ state: "running" });
  });

  it("has the parked changes of the old one passed over", () => {
    const why = { code: "value-unfit", text: "", field: "name" } as const;
    const parked = play(
      RULES,
      before,
      { kind: "parked", topic: TOPIC, id: "p1", why },
      { kind: "replayed", topic: TOPIC, written: 5, replayed: 2, passedOver: 0 },
      news(OTHER),
    ).state;
    expect(tableIn(letIn(parked).state).parked).toMatchObject({ written: 5, supersededTo: 5 });
  });

  it("is accepted only with a reason", () => {
    const waiting = play(RULES, before, news(OTHER)).state;
    expect(play(RULES, waiting, release([id])).state.outcomes.get("c1")).toMatchObject({ kind: "refused" });
    const step = letIn(waiting);
    expect(step.state.outcomes.get("c1")).toMatchObject({ kind: "done" });
    expect(effectsOf(step)).toEqual([`alert ${id}`]);
    expect(findAmendment(step.state, id)?.amendment.gate).toMatchObject({ kind: "released" });
  });

  it("is the one that had the name last", () => {
    const twice = play(RULES, before, news(OTHER), news(other([ID, NAME], 7000))).state;
    expect(tableIn(letIn(twice).state).shape.table.oid).toBe(7000);
  });

  it("is captured under the name in the connector's file, even if it has been renamed since it took that name", () => {
    const renamed = { ...OTHER, name: "customers_2" };
    const accepted = letIn(play(RULES, before, news(renamed)).state).state;
    expect(tableIn(accepted)).toMatchObject({
      shape: { table: { oid: 6000, name: "customers_2" } },
      capturedAs: { schema: "public", name: "customers" },
    });
    const waiting = play(RULES, accepted, news(other([ID, NAME], 7000))).state;
    const again = play(RULES, waiting, release([id], { id: "c2", reason: "restored" })).state;
    expect(tableIn(again).shape.table.name).toBe("customers");
    expect(tableIn(again).capturedAs).toBeUndefined();
  });

  it("gets the fields with its names and types; with its next row, the others are dropped or added", () => {
    expect(fieldNames(replaced)).toEqual(["id", "name", "nick"]);
    expect(attnums(replaced)).toEqual([1, 3, -3]);
    expect(tableIn(replaced).shape.key.map((field) => Number(field.attnum))).toEqual([1]);
    expect(tableIn(replaced)).toMatchObject({ replacement: undefined, shape: { table: { oid: 6000 } } });
    const now = seen([ID, at(2, ZIP), at(3, NAME)], { catalog: OTHER });
    const { state } = play(RULES, replaced, now);
    expect(withheldOf(tableIn(state)).map((one) => [one.id, one.kind])).toEqual([
      [`${TOPIC}/-3`, "dropped"],
      [`${TOPIC}/2`, "added"],
    ]);
  });

  it("has every row published again, if it has a key", () => {
    expect(replaced.jobs.get(`repair/${TOPIC}`)).toMatchObject({ state: "running", due: "all" });
    const keyless = stateOf(publishing([ID, NAME, NICK], false));
    const { jobs } = letIn(play(RULES, keyless, news({ ...OTHER, key: [] })).state).state;
    expect(jobs.get(`repair/${TOPIC}`)).toMatchObject({ state: "refused", reason: { kind: "keyless-repair" } });
  });

  it("ends jobs that read columns of the old table", () => {
    const job = { ...newJob(`backfill/${TOPIC}/3`, TOPIC, "backfill"), column: attnum(3), cursor: ["5"] };
    const busy = { ...before, jobs: new Map([[job.id, job]]) };
    const { jobs } = letIn(play(RULES, busy, news(OTHER)).state).state;
    expect(jobs.get(job.id)?.state).toBe("done");
  });

  it("ends everything that waited on the old table, and answers its commands", () => {
    const waiting = play(
      RULES,
      before,
      seen([ID, NAME, NICK, ZIP]),
      release([`${TOPIC}/4`], { id: "c0" }),
      news(OTHER),
    ).state;
    const { state } = letIn(waiting);
    expect(withheldOf(tableIn(state))).toEqual([]);
    expect(state.outcomes.get("c0")).toMatchObject({ kind: "refused" });
  });

  it("does not take over a column of a different type; a field without a column counts as dropped", () => {
    const { state } = letIn(play(RULES, before, news(other([ID, column(2, "name", "int")]))).state);
    expect(attnums(state)).toEqual([1, -2, -3]);
  });

  it("is not changed by rows of the old table or of a third one", () => {
    const waiting = play(RULES, before, news(OTHER)).state;
    expect(play(RULES, waiting, seen([ID, NAME], { catalog: OTHER }))).toEqual({ state: waiting, effects: [] });
    expect(effectsOf(play(RULES, replaced, news(other([ID, NAME], 7000))))).toEqual([`alert ${id}`]);
  });

  it("asks the registry nothing, whatever else flows in the meantime", () => {
    const both = play(RULES, before, seen([ID, NAME, NICK, ZIP]), news(OTHER), (now) => fits(now, `${TOPIC}/4`)).state;
    const open = play(RULES, both, (now) => {
      const { answer } = findAmendment(now, `${TOPIC}/4`)?.amendment ?? {};
      if (answer?.kind !== "fits") throw new Error("fits");
      const { hash, text } = answer.candidate;
      return {
        kind: "registered",
        id: `${TOPIC}/4`,
        hash,
        schema: { ...tableIn(now).shape.valueSchema, text },
        estimatedRows: 1,
      };
    });
    expect(effectsOf(open)).toEqual([`alert ${TOPIC}/4`]);
  });
});
