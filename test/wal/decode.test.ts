import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { GuardError } from "../../src/errors.ts";
import { decode } from "../../src/wal/decode.ts";
import type { RowChange, WalMessage } from "../../src/wal/message.ts";
import { formatLsn } from "../../src/wal/lsn.ts";
import { readTuple, tupleSlots } from "../../src/wal/tuple.ts";

// Captured from a real server; the statements that made it are in the file.
const golden = JSON.parse(readFileSync(new URL("../cases/pgoutput/stream-18.4.json", import.meta.url), "utf8")) as {
  readonly run: readonly string[];
  readonly messages: readonly string[];
};
const stream = golden.messages.map((hex) => Buffer.from(hex, "hex"));

function rowAt(bytes: Buffer, at: number): string {
  if (at < 0) return "-";
  const slots = tupleSlots();
  readTuple(bytes, at, slots);
  const values: string[] = [];
  for (let i = 0; i < slots.count; i++) {
    const kind = String.fromCharCode(slots.kind[i] ?? 0);
    const text = bytes.toString("utf8", slots.start[i], slots.end[i]);
    values.push(kind === "t" ? `'${text.length > 20 ? `${text.slice(0, 3)}*${text.length}` : text}'` : kind);
  }
  return `(${values.join(" ")})`;
}

function inWords(message: WalMessage): string {
  switch (message.kind) {
    case "begin":
      return `begin ${formatLsn(message.finalLsn)} xid ${message.xid}`;
    case "commit":
      return `commit ${formatLsn(message.commitLsn)} end ${formatLsn(message.endLsn)}`;
    case "relation": {
      const columns = message.columns.map((c) => `${c.name}:${c.typeOid}/${c.typmod}${c.key ? " key" : ""}`);
      return `relation ${message.oid} ${message.schema}.${message.name} ${message.identity} [${columns.join(", ")}]`;
    }
    case "insert":
    case "update":
    case "delete":
      return rowInWords(message);
    case "truncate":
      return `truncate ${message.relations.join(" ")}`;
    case "message":
      return `message ${message.transactional} ${message.prefix} ${message.content.toString()}`;
    case "other":
      return `other ${message.tag}`;
  }
}

function rowInWords({ kind, relation, bytes, oldKind, oldAt, newAt }: RowChange): string {
  return `${kind} ${relation} ${oldKind} ${rowAt(bytes, oldAt)} -> ${rowAt(bytes, newAt)}`;
}

test("a recorded stream decodes to what its statements did", () => {
  const words = stream.map((bytes) => inWords(decode(bytes))).filter((line) => !/^(begin|commit)/.test(line));
  const odd =
    'relation 16389 public.odd " name default ' +
    '[id:23/-1 key, na"me:25/-1, price:1700/655366, m:16385/-1, ok:16/-1, big:25/-1]';
  const whole = "relation 16397 public.whole full [a:23/-1 key, b:25/-1 key]";
  expect(words).toEqual([
    "other Y",
    odd,
    "insert 16389 none - -> ('1' 'Grüße' '1.50' 'sad' 't' 'xxx*3000')",
    "insert 16389 none - -> ('2' n n n n n)",
    "update 16389 none - -> ('1' 'Grüße' '1.50' 'sad' 'f' u)",
    "update 16389 key ('2' n n n n n) -> ('3' n n n n n)",
    "delete 16389 key ('3' n n n n n) -> -",
    whole,
    "insert 16397 none - -> ('1' 'one')",
    "update 16397 full ('1' 'one') -> ('1' n)",
    "delete 16397 full ('1' n) -> -",
    "message true fieldgate.mark in order",
    "message false other at once",
    whole,
    "other Y",
    odd,
    "truncate 16397 16389",
    "other O",
    whole,
    "insert 16397 none - -> ('2' '')",
    "relation 16397 public.whole full [a:23/-1 key, b:25/-1 key, c:1184/-1 key]",
    "insert 16397 none - -> ('3' 'three' '202*29')",
  ]);
});

test("begin and commit carry positions, microseconds and the transaction", () => {
  expect(decode(stream[0] ?? Buffer.alloc(0))).toEqual({
    kind: "begin",
    finalLsn: 0x1785588n,
    commitTime: 1795405077377143n,
    xid: 760,
  });
  const commits = stream.map(decode).filter((message) => message.kind === "commit");
  expect(commits).toHaveLength(11);
  expect(commits.every((commit) => commit.endLsn > commit.commitLsn)).toBe(true);
});

test("a value beyond 31 bits is not negative", () => {
  const begin = Buffer.concat([Buffer.from("B"), Buffer.alloc(16, 0xff), Buffer.from([0xff, 0xff, 0xff, 0xfe])]);
  expect(decode(begin)).toMatchObject({ finalLsn: 0xffff_ffff_ffff_ffffn, xid: 0xffff_fffe });
});

test("the empty namespace is pg_catalog", () => {
  const relation = Buffer.from("R\0\0\0\x01\0t\0d\0\0", "latin1");
  expect(decode(relation)).toMatchObject({ schema: "pg_catalog", name: "t", columns: [] });
});

test.each([
  ["nothing", "", "an empty message"],
  ["an unknown tag", "S\0\0\0\x01\x01", "unknown message tag 0x53 in a message of 6 bytes"],
  ["a begin message that is cut off", "B\0\0\0", "message B of 4 bytes is cut off at offset 1"],
  ["a commit with a byte too many", `C${"\0".repeat(26)}`, "message C of 27 bytes has an unexpected byte at offset 26"],
  ["a name that does not end", "R\0\0\0\x01public", "message R of 11 bytes is cut off at offset 5"],
  ["an unknown replica identity", "R\0\0\0\x01\0t\0x\0\0", "message R of 11 bytes has an unexpected byte at offset 8"],
  ["an insert without a new row", "I\0\0\0\x01K\0\0", "message I of 8 bytes has an unexpected byte at offset 5"],
  ["an update whose old row is cut short", "U\0\0\0\x01K\0\x01t\0\0\0\x05ab", "a row is cut off at offset 13 of 15"],
  ["an update without a new row", "U\0\0\0\x01K\0\0", "message U of 8 bytes is cut off at offset 8"],
  ["a delete with a new row", "D\0\0\0\x01N\0\0", "message D of 8 bytes has an unexpected byte at offset 5"],
  ["more tables than there are bytes", "T\x7f\xff\xff\xff\0", "message T of 6 bytes is cut off at offset 6"],
  [
    "a message longer than it is",
    `M\0${"\0".repeat(8)}p\0\0\0\0\x05abc`,
    "message M of 19 bytes is cut off at offset 16",
  ],
])("%s is refused with tag, length and offset", (_what, text, message) => {
  expect(() => decode(Buffer.from(text, "latin1"))).toThrow(new GuardError("wal-invalid", message));
});

function readWhole(bytes: Buffer): void {
  const slots = tupleSlots();
  const message = decode(bytes);
  if (!("oldAt" in message)) return;
  if (message.oldAt >= 0) readTuple(bytes, message.oldAt, slots);
  if (message.newAt >= 0) readTuple(bytes, message.newAt, slots);
}

/** "read" or how it failed. */
function outcomeOf(bytes: Buffer): string {
  try {
    readWhole(bytes);
    return "read";
  } catch (error) {
    return error instanceof GuardError ? error.code : String(error);
  }
}

function expectOnlyGuardErrors(bytes: Buffer): void {
  expect(["read", "wal-invalid"]).toContain(outcomeOf(bytes));
}

describe("nothing but a GuardError is thrown", () => {
  test("for random bytes", () => {
    const tag = fc.constantFrom("I", "U", "D", "B", "C", "R", "T", "M", "Y", "O");
    fc.assert(
      fc.property(tag, fc.uint8Array({ maxLength: 80 }), (first, rest) =>
        expectOnlyGuardErrors(Buffer.concat([Buffer.from(first), rest])),
      ),
      { numRuns: 2000 },
    );
  });

  test("for a real message with one byte changed", () => {
    fc.assert(
      fc.property(fc.constantFrom(...stream), fc.nat(), fc.nat(255), (message, at, byte) => {
        const changed = Buffer.from(message);
        changed[at % changed.length] = byte;
        expectOnlyGuardErrors(changed);
      }),
      { numRuns: 2000 },
    );
  });

  test("for every real message cut short anywhere, and the cut is always noticed", () => {
    for (const message of stream) {
      for (let length = 0; length < Math.min(message.length, 400); length++) {
        expect(() => readWhole(message.subarray(0, length))).toThrow(GuardError);
      }
    }
  });
});
