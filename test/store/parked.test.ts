import { describe, expect, it } from "vitest";
import { decide } from "../../src/gate/decide.ts";
import type { State } from "../../src/gate/state.ts";
import {
  layoutText,
  parkedKey,
  parkedValue,
  readLayout,
  readParkedKey,
  readParkedValue,
} from "../../src/store/parked.ts";
import { changes, EMPTY, replay } from "../../src/store/records.ts";
import { attnum } from "../../src/table/column.ts";
import { lsn } from "../../src/wal/lsn.ts";
import { RULES, stateOf, TOPIC, WHEN } from "../gate/customers.ts";

const LAYOUT = layoutText({
  identity: "full",
  columns: [{ attnum: attnum(1), type: { oid: 23, typmod: -1 } }, undefined],
  unidentified: [attnum(3)],
});
const CHANGE = {
  lsn: lsn(0x1_0000_0150n),
  xid: 77,
  commitTime: 1_700_000_000_000_001n,
  lastCommitLsn: lsn(5n),
  size: 9,
  layout: LAYOUT,
  message: Buffer.from("I\n\0\xff", "latin1"),
};

describe("a parked change", () => {
  it("is read as it was written, whatever bytes its row has", () => {
    expect(readParkedValue(3, parkedValue(CHANGE))).toEqual({ ...CHANGE, seq: 3 });
    const unread = { ...CHANGE, lastCommitLsn: undefined, message: undefined };
    expect(readParkedValue(4, parkedValue(unread))).toEqual({ ...unread, seq: 4 });
  });

  it("has its columns by identity, with the types of then", () => {
    expect(readLayout(readParkedValue(1, parkedValue(CHANGE)).layout).columns).toEqual([
      { attnum: 1, type: { oid: 23, typmod: -1 } },
      undefined,
    ]);
  });

  it("says which columns could not be identified; one of an earlier version has none of which that is known", () => {
    expect(readLayout(LAYOUT).unidentified).toEqual([3]);
    expect(readLayout('{"identity":"default","columns":[]}').unidentified).toEqual([]);
  });

  it("has a key that names its table, its park and its number", () => {
    expect(readParkedKey(parkedKey("a/b.c", "p1", 12))).toEqual({ id: "p1", seq: 12 });
    expect(readParkedKey(Buffer.from("something else"))).toBeUndefined();
  });

  it("of a later version is refused", () => {
    const later = Buffer.from(parkedValue(CHANGE).toString("latin1").replace('"v":1', '"v":2'), "latin1");
    expect(() => readParkedValue(1, later)).toThrow(/^\[state-invalid\] .*version 2/);
  });
});

describe("a parked table in the state topic", () => {
  const why = { code: "value-unfit", field: "name", text: "it does not fit" } as const;
  const stored = ({ tables }: Pick<State, "tables">) => ({ ...EMPTY, tables });
  const parked = decide(RULES, stateOf(), { kind: "parked", topic: TOPIC, id: "p1", why }, WHEN).state;
  const counted = decide(
    RULES,
    parked,
    { kind: "replayed", topic: TOPIC, written: 5, replayed: 2, passedOver: 1 },
    WHEN,
  ).state;

  it("is read as it was written, and its counts alone are one small record", () => {
    const first = changes(EMPTY, stored(parked));
    const second = changes(stored(parked), stored(counted));
    expect(second.map(({ key }) => key)).toEqual([`parked/${TOPIC}`]);
    expect(replay([...first, ...second]).tables.get(TOPIC)?.parked).toEqual({
      ...counted.tables.get(TOPIC)?.parked,
    });
  });

  it("is gone once it flows again, and that is reported once", () => {
    const reported = decide(RULES, counted, { kind: "park-reported", topic: TOPIC, id: "p1" }, WHEN).state;
    const free = decide(RULES, reported, { kind: "unparked", topic: TOPIC, written: 5, passedOver: 1 }, WHEN).state;
    const all = [...changes(EMPTY, stored(reported)), ...changes(stored(reported), stored(free))];
    const table = replay(all).tables.get(TOPIC);
    expect(table?.parked).toBeUndefined();
    expect(table?.unparked).toMatchObject({ written: 5, passedOver: 1 });
    expect(free.jobs.get(`repair/${TOPIC}`)).toMatchObject({ state: "running" });
    const quiet = decide(RULES, free, { kind: "park-reported", topic: TOPIC, id: undefined }, WHEN).state;
    expect(quiet.tables.get(TOPIC)?.unparked).toBeUndefined();
  });

  it("cannot be read by a release that does not know parked tables, nor is a table without one parked", () => {
    const [record] = changes(stored(stateOf()), stored(parked)).filter(({ key }) => key.startsWith("parked/"));
    expect(record?.value).toContain('"v":4');
    expect(replay(changes(EMPTY, stored(stateOf()))).tables.get(TOPIC)?.parked).toBeUndefined();
  });
});
