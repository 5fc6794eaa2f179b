import { describe, expect, it } from "vitest";
import { decide } from "../../../src/gate/decide.ts";
import type { Input, TableState } from "../../../src/gate/state.ts";
import { attnum } from "../../../src/table/column.ts";
import {
  column,
  fieldFor,
  fits,
  ID,
  idOf,
  MANUAL,
  NAME,
  NICK,
  play,
  publishing,
  registered,
  release,
  RULES,
  seen,
  stateOf,
  tableIn,
  tableOf,
  TOPIC,
  WHEN,
} from "../customers.ts";

const SENT = { kind: "sent", published: "1.1", files: {}, attached: [] } as const;
const GAP: Input = { kind: "sent", topic: TOPIC, sent: SENT, news: { kind: "again" } };

const NICK_ID = idOf(NICK);

it.each([
  ["before the gap", [seen([ID, NAME, NICK]), GAP]],
  ["in the gap, and noticed by the repair", [GAP, seen([ID, NAME, NICK])]],
])(
  "values of a withheld column that was added %s may be in rows of the gap: its release reads them again",
  (_, inputs) => {
    const { state } = play(MANUAL, stateOf(), ...inputs, (now) => fits(now, NICK_ID));
    expect(tableIn(state).amendments).toMatchObject([{ id: NICK_ID, missed: true, gate: { kind: "withheld" } }]);
    const released = play(MANUAL, state, release([NICK_ID]), (now) => registered(now, NICK_ID));
    expect(released.state.jobs.get(`backfill/${NICK_ID}`)?.state).toBe("running");
  },
);

it("a column that is added after the gap owes nothing once the table's columns were proven again", () => {
  const { state } = play(MANUAL, stateOf(), GAP, seen([ID, NAME]), { kind: "passed", topic: TOPIC, doubt: false });
  expect(tableIn(decide(MANUAL, state, seen([ID, NAME, NICK]), WHEN).state).amendments).toMatchObject([
    { missed: false },
  ]);
});

it.each(["emptied", "detached"] as const)("partitions that were %s are reported, and no repair is tried", (kind) => {
  const news = { kind, partitions: ["public.customers_1"] };
  const { state, effects } = decide(MANUAL, stateOf(), { kind: "sent", topic: TOPIC, sent: SENT, news }, WHEN);
  expect(tableIn(state)).toMatchObject({ sent: SENT, gap: { news, reported: false } });
  expect(effects).toEqual([{ kind: "report-gap", topic: TOPIC }]);
  expect([...state.jobs]).toEqual([]);
});

describe("old rows in the log lacked a column of the events' key for a while", () => {
  const CODE = column(2, "code", "text", { notNull: true });
  const COLUMNS = [ID, CODE];
  const gapAfter = (table: TableState, ...inputs: readonly Input[]) => {
    const { state, effects } = play(RULES, stateOf(table), ...inputs);
    return { news: tableIn(state).gap?.news, isReported: effects.some(({ kind }) => kind === "report-gap") };
  };
  const NONE = { news: undefined, isReported: false };
  const lacking = (name: string) => ({ news: { kind: "uncovered", columns: [name] }, isReported: true });

  it("a key that was another one and is undone is reported, because rows may have moved in between", () => {
    const other = seen(COLUMNS, { key: [2] });
    expect(gapAfter(publishing(COLUMNS), other)).toEqual(NONE);
    expect(gapAfter(publishing(COLUMNS), other, seen(COLUMNS))).toEqual(lacking("id"));
  });

  it("a key that had a column more meanwhile is not reported", () => {
    expect(gapAfter(publishing(COLUMNS), seen(COLUMNS, { key: [1, 2] }), seen(COLUMNS))).toEqual(NONE);
  });

  const table = publishing(COLUMNS);
  const byCode = { ...table, rowKey: [attnum(1)], shape: { ...table.shape, key: [fieldFor(CODE)] } };

  it.each([
    ["the identity has it again", "full", lacking("code")],
    ["the identity still lacks it, which looks report", "default", NONE],
  ] as const)("message.key.columns: %s", (_, replicaIdentity, expected) => {
    const catalog = { ...tableOf(COLUMNS), replicaIdentity };
    expect(gapAfter(byCode, seen(COLUMNS, { catalog }))).toEqual(expected);
  });
});
