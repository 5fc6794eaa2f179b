import { describe, expect, it } from "vitest";
import { alertKey, type Reason } from "../../src/gate/decision/reason.ts";
import { changes, EMPTY } from "../../src/store/records.ts";
import { REASON_KINDS, renderReason } from "../../src/words/reason.ts";
import {
  effectsOf,
  fits,
  ID,
  idOf,
  NAME,
  NICK,
  play,
  publishing,
  REPLICA,
  RULES,
  seen,
  stateOf,
} from "../gate/customers.ts";

const NOT_READY = { kind: "not-ready", consumers: ["billing"] } as const;

/** One reason of each kind, in the table's order. */
const EACH: { readonly [Kind in Reason["kind"]]: Extract<Reason, { readonly kind: Kind }> } = {
  "not-judged": { kind: "not-judged" },
  unmapped: { kind: "unmapped", type: "pg_lsn" },
  "column-dropped-again": { kind: "column-dropped-again" },
  "registry-unanswered": { kind: "registry-unanswered", code: "registry-down", text: "connect ECONNREFUSED" },
  "registry-refused": { kind: "registry-refused", text: "READER_FIELD_MISSING_DEFAULT_VALUE" },
  "field-name-taken": { kind: "field-name-taken", field: "zip" },
  "no-primary-key": { kind: "no-primary-key" },
  "key-columns-withheld": { kind: "key-columns-withheld" },
  "table-replaced": { kind: "table-replaced" },
  "not-ready": { ...NOT_READY, unnamed: { kind: "known", groups: ["sink"] } },
  "operator-withheld": { kind: "operator-withheld", actor: "anna" },
  "registration-awaited": { kind: "registration-awaited", subject: "t-value", text: "status 403" },
  "policy-manual": { kind: "policy-manual" },
  "key-changed": { kind: "key-changed", opposed: NOT_READY },
  "keyless-backfill": { kind: "keyless-backfill" },
  "columns-unexplained": { kind: "columns-unexplained" },
  "columns-not-sent": { kind: "columns-not-sent" },
  "table-parked": { kind: "table-parked" },
  "member-withheld": { kind: "member-withheld", id: "t/4" },
  "member-not-released": { kind: "member-not-released", id: "t/4" },
  "member-keyless": { kind: "member-keyless", id: "t/4" },
  "released-by": { kind: "released-by", actor: "anna", reason: "agreed" },
  "enum-labels": { kind: "enum-labels" },
  "policy-observe": { kind: "policy-observe" },
  "all-ready": { kind: "all-ready", count: 2, policy: "strict" },
  "replacement-accepted": { kind: "replacement-accepted" },
  "debezium-stops": { kind: "debezium-stops", text: "" },
  "debezium-next-row": { kind: "debezium-next-row", contracts: 1 },
  "debezium-next-row-anyway": { kind: "debezium-next-row-anyway", consumers: ["billing"] },
  "debezium-key": { kind: "debezium-key", consumers: [], keyless: false },
  "debezium-labels": { kind: "debezium-labels" },
  "debezium-follows-table": { kind: "debezium-follows-table" },
  "schema-registered": { kind: "schema-registered", subject: "t-value", schemaId: 8 },
  "rows-without-key": { kind: "rows-without-key" },
  recorded: { kind: "recorded", sentence: "an earlier version said so" },
};
const REASONS: readonly Reason[] = Object.values(EACH);
const withheld = (reason: Reason) => alertKey({ gate: { kind: "withheld", reason } });

describe("reasons in words", () => {
  it("are a sentence each", () => {
    expect(Object.keys(EACH).toSorted()).toEqual([...REASON_KINDS].toSorted());
    expect(REASONS.map((reason) => `${reason.kind}: ${renderReason(reason)}`).join("\n")).toMatchSnapshot();
  });
});

describe("what people are alerted to", () => {
  it("differs between any two reasons, and between withheld and released", () => {
    expect(new Set(REASONS.map(withheld)).size).toBe(REASONS.length);
    for (const reason of REASONS) expect(alertKey({ gate: { kind: "released", reason } })).not.toBe(withheld(reason));
  });

  it("contains no sentence of ours: none of them is part of any key", () => {
    const sentences = REASONS.filter(({ kind }) => kind !== "recorded").map(renderReason);
    for (const reason of REASONS) {
      for (const sentence of sentences) expect(withheld(reason)).not.toContain(sentence);
    }
  });

  it("is the same when only a quoted text or the order of names differs", () => {
    const down = { kind: "registry-unanswered", code: "registry-down" } as const;
    expect(withheld({ ...down, text: "a" })).toBe(withheld({ ...down, text: "b" }));
    expect(withheld({ kind: "not-ready", consumers: ["a", "b"] })).toBe(
      withheld({ kind: "not-ready", consumers: ["b", "a"] }),
    );
    expect(withheld({ kind: "not-ready", consumers: ["a"] })).not.toBe(
      withheld({ kind: "not-ready", consumers: ["b"] }),
    );
  });
});

describe("the state topic", () => {
  it("contains no sentence: rewording a reason changes no record and alerts no one", () => {
    const id = idOf(NICK);
    const first = play(RULES, stateOf(publishing(), REPLICA), seen([ID, NAME, NICK]), (now) => fits(now, id));
    expect(effectsOf(first)).toEqual([`alert ${id}`]);
    const reason: Reason = { kind: "not-ready", consumers: ["replica"] };
    const alerted = { key: withheld(reason), time: "2026-01-01T00:00:00Z", reminders: 3 };
    const known = play(RULES, first.state, { kind: "alerted", id, alerted });
    const { tables, jobs, outcomes } = known.state;
    const records = changes(EMPTY, { ...EMPTY, tables, jobs, outcomes });
    expect(JSON.stringify(records)).not.toContain(renderReason(reason));
    const restarted = play(RULES, known.state, { kind: "ask", id }, (now) => fits(now, id));
    expect(effectsOf(restarted)).toEqual([]);
    expect(restarted.state.tables.get(REPLICA.topic)?.amendments[0]?.alerted).toEqual(alerted);
  });
});
