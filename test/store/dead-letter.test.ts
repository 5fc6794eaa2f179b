import { describe, expect, it } from "vitest";
import { type DeadLetter, letterRecord } from "../../src/store/dead-letter.ts";
import { attnum } from "../../src/table/column.ts";
import { lsn } from "../../src/wal/lsn.ts";
import { rowMessage } from "../../src/wal/rewrite.ts";
import { change, tupleData } from "../event/row.ts";

const COLUMN = { typeOid: 25, typmod: -1 };
const LETTER: DeadLetter = {
  topic: "inventory.public.customers",
  table: { oid: 5000, schema: "public", name: "customers" },
  op: "u",
  code: "value-unfit",
  field: "price",
  at: { lsn: lsn(0x1949n), xid: 777, commitTime: 1_700_000_000_000_000n },
  published: "nothing",
  decided: { by: "operator", actor: "anna", reason: "the import" },
  key: [{ name: "id", attnum: attnum(1) }],
  change: {
    row: change("update", ["1", "hidden", "NaN"], { kind: "full", values: ["1", "old hidden", "1.5"] }),
    identity: "full",
    columns: [{ ...COLUMN, attnum: attnum(1), name: "id" }, undefined, { ...COLUMN, attnum: attnum(3), name: "price" }],
  },
};

function read(letter: DeadLetter, whole = true) {
  const { key, value } = letterRecord(letter, whole);
  const end = value.indexOf("\n");
  const head = JSON.parse(value.toString("utf8", 0, end)) as Record<string, unknown>; // an object, as letterRecord writes it
  return { key: JSON.parse(String(key)) as unknown, head, bytes: value.subarray(end + 1) };
}

describe("a dead letter", () => {
  it("has the change as the server sent it, without the columns that are in no event", () => {
    const { key, head, bytes } = read(LETTER);
    const old = { kind: "full", tuple: tupleData(["1", "1.5"]) } as const;
    const expected = rowMessage({ kind: "update", relation: 1, old, now: tupleData(["1", "NaN"]) }).bytes;
    expect(bytes).toEqual(expected);
    expect(key).toEqual({ topic: LETTER.topic, key: { id: "1" } });
    expect(head).toEqual({
      v: 1,
      topic: LETTER.topic,
      table: LETTER.table,
      op: "u",
      key: { id: "1" },
      code: "value-unfit",
      field: "price",
      lsn: "0/1949",
      xid: 777,
      commitTime: "2023-11-14T22:13:20.000Z",
      published: "nothing",
      decided: { by: "operator", actor: "anna", reason: "the import" },
      identity: "full",
      columns: [
        { name: "id", attnum: 1, ...COLUMN },
        { name: "price", attnum: 3, ...COLUMN },
      ],
      bytes: expected.length,
    });
    expect(letterRecord(LETTER, true).value.includes("hidden")).toBe(false);
  });

  it("that does not fit its own topic has no bytes", () => {
    const { head, bytes } = read(LETTER, false);
    expect(head).toMatchObject({ key: { id: "1" }, bytes: 0 });
    expect(bytes).toHaveLength(0);
  });

  it("of a change that was not read says where it is, and the key if that was read", () => {
    const unread = { ...LETTER, op: undefined, change: undefined, field: undefined, code: "record-too-large" } as const;
    expect(read(unread)).toMatchObject({ key: { key: null }, head: { lsn: "0/1949", key: null, bytes: 0 } });
    expect(read({ ...unread, keyTexts: { id: "9" } }).key).toEqual({ topic: LETTER.topic, key: { id: "9" } });
  });

  it("has the old key of a delete, and none that is as large as a row", () => {
    const columns = LETTER.change?.columns ?? [];
    const removed = change("delete", undefined, { kind: "key", values: ["7", null, null] });
    expect(read({ ...LETTER, change: { row: removed, identity: "default", columns } }).head["key"]).toEqual({
      id: "7",
    });
    const large = change("insert", ["x".repeat(20_000), null, null]);
    expect(read({ ...LETTER, change: { row: large, identity: "default", columns } }).head["key"]).toBeNull();
  });
});
