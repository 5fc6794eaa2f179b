import { expect, it } from "vitest";
import { decide } from "../../../src/gate/decide.ts";
import type { Input } from "../../../src/gate/state.ts";
import {
  fits,
  ID,
  idOf,
  MANUAL,
  NAME,
  NICK,
  play,
  registered,
  release,
  seen,
  stateOf,
  tableIn,
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
