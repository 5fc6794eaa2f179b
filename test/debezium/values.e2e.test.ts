import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Database, freshDatabase } from "../stack/database.ts";
import { APART, TABLES, tableOf, TYPES } from "./columns.ts";
import { type Difference, differences, optionalWithDefault, places } from "./differences.ts";
import { openPair, type Pair, type Published } from "./pair.ts";

const MODES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "Debezium's defaults": {},
  "as text": {
    "decimal.handling.mode": "string",
    "time.precision.mode": "isostring",
    "interval.handling.mode": "string",
    "binary.handling.mode": "hex",
    "hstore.handling.mode": "map",
    "include.unknown.datatypes": "true",
  },
  "as Connect's types": {
    "decimal.handling.mode": "double",
    "time.precision.mode": "connect",
    "binary.handling.mode": "base64",
    "money.fraction.digits": "3",
  },
};

const all = { ...TABLES, apart: APART };
const pairs = new Map<string, Pair>();
const open = new AsyncDisposableStack();
afterAll(() => open.disposeAsync());

beforeAll(async () => {
  const database = open.use(await freshDatabase());
  await database.query(`${TYPES}; create table mark (id int primary key)`);
  for (const [name, columns] of Object.entries(all)) await database.query(tableOf(name, columns).create);
  await Promise.all(Object.keys(MODES).map((mode) => openMode(database, mode)));
  for (const [name, columns] of Object.entries(all)) {
    for (const one of tableOf(name, columns).changes) await database.query(one);
  }
  for (const pair of pairs.values()) await pair.caughtUp();
});

async function openMode(database: Database, mode: string): Promise<void> {
  const tables = Object.keys(all).map((name) => `public.${name}`);
  pairs.set(mode, open.use(await openPair(database, tables, MODES[mode])));
}

async function compared(mode: string, table: string) {
  const { theirs = [], ours = [] } = (await pairs.get(mode)?.published(`public.${table}`)) ?? {};
  return { theirs, ours, found: differences(theirs, ours) };
}

/** Row 2 is NULL wherever it may be. For the row that record 5 deletes, the log has only the key. */
function nullsWithDefault(record: Published | undefined): readonly string[] {
  const names = optionalWithDefault(record);
  return [...names.map((name) => `2 after.${name}`), ...names.map((name) => `5 before.${name}`)];
}

describe.each(Object.keys(MODES))("values %s", (mode) => {
  test.each(Object.keys(TABLES))("%s differ only in a NULL, if the column has a default", async (table) => {
    const { theirs, found } = await compared(mode, table);
    // create x 4, update, delete, tombstone
    expect(theirs).toHaveLength(7);
    expect(places(found)).toEqual(nullsWithDefault(theirs[0]));
    for (const one of found) {
      expect(one.theirs).not.toBeNull();
      expect(one.ours).toBeNull();
    }
  });
});

describe("differences by column", () => {
  const rowOf = ({ value }: Published) => (value as { after: Readonly<Record<string, unknown>> }).after; // the value is an event
  const first = async () => {
    const { theirs, ours, found } = await compared("Debezium's defaults", "apart");
    const [their, our] = [theirs[0], ours[0]];
    if (their === undefined || our === undefined) throw new Error("no event of the table apart");
    return { theirs: rowOf(their), ours: rowOf(our), found };
  };
  const columnOf = ({ path }: Difference) =>
    /^(?:value\.(?:after|before)|valueSchema\.fields\.before\.type\.Value\.fields)\.(\w+?)(?:_d|_n)?(?:\.|$)/.exec(
      path,
    )?.[1];

  test("are in these columns", async () => {
    const { found } = await first();
    expect(new Set(found.map(columnOf))).toEqual(new Set(APART.map(({ name }) => name)));
  });

  test.each([
    ["concat", "a"],
    ["who", "CURRENT_USER"],
    ["day_after", 18_262],
    ["beyond", Number("9007199254740993")],
  ])("the default of %s is what is only a part of it, or no number of JSON's: %s", async (name, fallback) => {
    const { found } = await first();
    const optional = found.find(({ path }) => path.endsWith(`.fields.${name}_d.default`));
    expect(optional).toMatchObject({ theirs: fallback, ours: null });
    const required = found.find(({ path }) => path.endsWith(`.fields.${name}_n.default`));
    expect(required).toMatchObject({ theirs: fallback, ours: undefined });
  });

  test("Debezium's stream loses values of the type name", async () => {
    const { theirs, ours } = await first();
    expect([theirs["name"], theirs["name_n"]]).toEqual([null, ""]);
    expect([ours["name"], ours["name_n"]]).toEqual(["pg_class", "pg_class"]);
  });

  test("Debezium drops the microseconds of times in an array", async () => {
    const { theirs, ours } = await first();
    expect(theirs["times"]).toEqual([14_706_123_000n]);
    expect(ours["times"]).toEqual([14_706_123_456n]);
  });

  test("Debezium reads a negative scale without its sign: the number is the same, the schema is 2048 digits off", async () => {
    const { theirs, ours, found } = await first();
    const scale = found.find(({ path }) => path.endsWith("fields.negative_scale.type.1.scale"));
    expect(scale).toMatchObject({ theirs: 2046, ours: -2 });
    expect(unscaled(theirs["negative_scale"])).toBe(unscaled(ours["negative_scale"]) * 10n ** 2048n);
  });

  test("Debezium leaves out geometric types other than point", async () => {
    const { theirs, ours } = await first();
    for (const name of ["box", "segment", "track", "polygon", "circle", "line"]) {
      expect(theirs).not.toHaveProperty(name);
      expect(ours[name]).toBeTypeOf("object");
    }
  });
});

/** For a positive number. */
function unscaled(value: unknown): bigint {
  return Buffer.isBuffer(value) ? BigInt(`0x${value.toString("hex")}`) : 0n;
}
