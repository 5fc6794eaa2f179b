import { createHash } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { type DdlMessage, readDdl } from "../../src/table/ddl.ts";
import { lsn } from "../../src/wal/lsn.ts";
import type { LogicalMessage } from "../../src/wal/message.ts";
import { SECRET, signed } from "./signed.ts";

const XID = 735;

const TABLE = {
  oid: 16384,
  schema: "public",
  name: "t",
  maxAttnum: 2,
  filenode: 16384,
  estimatedRows: -1,
  replicaIdentity: "default",
  keys: [[1], [2, 1]],
  identified: [1],
  types: [{ oid: 16400, name: "mood", kind: "enum", of: 0, typmod: -1, labels: ["sad"] }],
  columns: [
    {
      attnum: 1,
      name: "id",
      oid: 23,
      typmod: -1,
      typeName: "integer",
      notNull: true,
      defaultExpr: null,
      identity: false,
      generated: false,
    },
    {
      attnum: 2,
      name: "m",
      oid: 16400,
      typmod: -1,
      typeName: "public.mood",
      notNull: false,
      defaultExpr: "'sad'",
      identity: false,
      generated: false,
    },
  ],
};

const PAYLOAD = {
  format: 1,
  command: "ALTER TABLE",
  role: "migrator",
  xid: "735",
  time: 1_795_416_052_115_208,
  tables: [{ change: "changed", rewrite: null, table: TABLE }],
  dropped: [{ oid: 16390, schema: "public", name: "gone" }],
  look: [16391],
};

function message(content: string | Buffer, more: Partial<LogicalMessage> = {}): LogicalMessage {
  const bytes = Buffer.from(content);
  return { kind: "message", transactional: true, lsn: lsn(1n), prefix: "fieldgate.ddl", content: bytes, ...more };
}

function read(payload: object, xid = XID, secret: string | undefined = SECRET): DdlMessage | undefined {
  return readDdl(message(signed(JSON.stringify(payload))), xid, secret);
}

test("a trigger of an earlier version sends one key, which also identifies old rows unless they are complete", () => {
  const { keys: _, identified: _only, ...older } = TABLE;
  const keyOf = (more: object) => {
    const tables = [{ change: "changed", rewrite: null, table: { ...older, key: [1], ...more } }];
    const result = read({ ...PAYLOAD, tables });
    const [first] = result?.kind === "trusted" ? result.ddl.tables : [];
    return first?.change === "changed" ? first.table : undefined;
  };
  expect(keyOf({})).toMatchObject({ key: [1], otherKeys: [], identified: [1] });
  expect(keyOf({ replicaIdentity: "full" })).toMatchObject({ key: [1], otherKeys: [], identified: [] });
});

test("a signed message of this transaction describes what the command did", () => {
  const result = read(PAYLOAD);
  expect(result).toEqual({
    kind: "trusted",
    ddl: {
      command: "ALTER TABLE",
      role: "migrator",
      time: 1_795_416_052_115_208n,
      tables: [
        {
          change: "changed",
          rewritten: false,
          table: {
            oid: 16384,
            schema: "public",
            name: "t",
            maxAttnum: 2,
            filenode: 16384,
            estimatedRows: -1,
            replicaIdentity: "default",
            key: [1],
            otherKeys: [[2, 1]],
            identified: [1],
            columns: [
              {
                attnum: 1,
                name: "id",
                type: { oid: 23, typmod: -1 },
                typeName: "integer",
                notNull: true,
                defaultExpr: undefined,
                identity: false,
                generated: false,
              },
              {
                attnum: 2,
                name: "m",
                type: { oid: 16400, typmod: -1, detail: { kind: "enum", name: "mood", labels: ["sad"] } },
                typeName: "public.mood",
                notNull: false,
                defaultExpr: "'sad'",
                identity: false,
                generated: false,
              },
            ],
          },
        },
        { change: "dropped", table: { oid: 16390, schema: "public", name: "gone" } },
      ],
      undescribed: [16391],
      unlocked: [],
    },
  });
});

test.each([
  [1, false],
  [2, true],
  [4, true],
  [6, true],
  [8, false],
  [9, false],
  [null, false],
])("a rewrite for reason %s may have changed values: %s", (rewrite, rewritten) => {
  const result = read({ ...PAYLOAD, tables: [{ change: "changed", rewrite, table: TABLE }] });
  expect(result).toMatchObject({ ddl: { tables: [{ rewritten }, { change: "dropped" }] } });
});

test("transaction ids are compared by their lower 32 bits, because the log has no more", () => {
  const xid = String(5n * 2n ** 32n + 735n);
  expect(read({ ...PAYLOAD, xid })).toMatchObject({ kind: "trusted" });
  expect(read({ ...PAYLOAD, xid }, 736)).toMatchObject({ kind: "untrusted" });
  expect(read({ ...PAYLOAD, xid: "4294967295" }, 4_294_967_295)).toMatchObject({ kind: "trusted" });
});

test("a message with another prefix is not the trigger's", () => {
  expect(readDdl(message(signed("{}"), { prefix: "fieldgate.mark" }), XID, SECRET)).toBeUndefined();
});

const OIDS = [16384, 16390, 16391];
test.each<[what: string, given: DdlMessage | undefined, why: RegExp, oids: readonly number[]]>([
  [
    "outside a transaction",
    readDdl(message(signed(JSON.stringify(PAYLOAD)), { transactional: false }), XID, SECRET),
    /not part of a transaction/,
    OIDS,
  ],
  ["from another transaction", read(PAYLOAD, 736), /a different transaction/, OIDS],
  [
    "while the secret could not be read",
    readDdl(message(signed(JSON.stringify(PAYLOAD))), XID, undefined),
    /secret could not be read/,
    OIDS,
  ],
  [
    "signed with another secret",
    readDdl(message(signed(JSON.stringify(PAYLOAD), "other")), XID, SECRET),
    /signature is wrong/,
    OIDS,
  ],
  ["that is not signed", readDdl(message(JSON.stringify(PAYLOAD)), XID, SECRET), /signature is wrong/, []],
  ["in another format", read({ ...PAYLOAD, format: 2 }), /another version/, OIDS],
  ["without its tables", read({ ...PAYLOAD, tables: undefined }), /another version/, [16390, 16391]],
  [
    "with a malformed column",
    read({ ...PAYLOAD, tables: [{ change: "changed", rewrite: null, table: { ...TABLE, columns: [{}] } }] }),
    /another version/,
    OIDS,
  ],
  ["that is signed but not JSON", readDdl(message(signed("{")), XID, SECRET), /another version/, []],
  ["that is empty", readDdl(message(""), XID, SECRET), /signature is wrong/, []],
  [
    "that reports a failure of the trigger",
    readDdl(message('{"error":"42P01"}'), XID, SECRET),
    /failed with SQLSTATE 42P01$/,
    [],
  ],
  [
    "that reports a failure and more",
    readDdl(message('{"error":"42P01\\u0000x"}'), XID, SECRET),
    /signature is wrong/,
    [],
  ],
  [
    "that is too large to be the trigger's",
    readDdl(message(signed(JSON.stringify({ ...PAYLOAD, pad: "x".repeat(1_300_000) }))), XID, SECRET),
    /1300\d{3} bytes/,
    [],
  ],
])("a message %s is not trusted", (_what, given, why, oids) => {
  expect(given).toEqual({ kind: "untrusted", why: expect.stringMatching(why), oids });
});

test("a message with any bit changed is not trusted, and arbitrary bytes throw nothing", () => {
  const content = Buffer.from(signed(JSON.stringify(PAYLOAD)));
  fc.assert(
    fc.property(fc.nat(content.length - 1), fc.nat(7), (at, bit) => {
      const changed = Buffer.from(content);
      changed[at] = (changed[at] ?? 0) ^ (1 << bit);
      expect(readDdl(message(changed), XID, SECRET)?.kind).toBe("untrusted");
    }),
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.json().map((json) => Buffer.from(json)),
        fc.uint8Array().map((bytes) => Buffer.from(bytes)),
      ),
      (bytes) => {
        expect(readDdl(message(bytes), XID, SECRET)?.kind).toBe("untrusted");
        expect(readDdl(message(signed(bytes.toString("latin1"))), XID, SECRET)?.kind).toBe("untrusted");
      },
    ),
  );
});

test("someone who reads a message cannot sign a longer one", () => {
  // With a single sha256 over secret and text, an attacker could extend the hash. The inner hash is never shown.
  const text = JSON.stringify(PAYLOAD);
  const plain = createHash("sha256").update(SECRET).update(text).digest("hex");
  expect(signed(text)).not.toContain(plain);
  expect(readDdl(message(`${plain} ${text}`), XID, SECRET)).toMatchObject({ kind: "untrusted" });
});
