import { describe, expect, it } from "vitest";
import { fieldOf } from "../../../src/event/field.ts";
import { DEFAULT_MODES } from "../../../src/event/types/modes.ts";
import { followFile, keysOfFile } from "../../../src/guard/start/file-changes.ts";
import type { Settings } from "../../../src/guard/outside.ts";
import type { TableState } from "../../../src/gate/state.ts";
import { EMPTY } from "../../../src/store/records.ts";
import { attnum } from "../../../src/table/column.ts";
import { column, ID, NAME, publishing, tableOf, TOPIC } from "../../gate/customers.ts";
import { worldOf } from "../session.ts";

const SKIPPED: Partial<Settings> = { "skipped.operations": new Set(["u", "t"]) };

/** The start with these settings, after a run with the settings of before. */
function start(settings: Partial<Settings>, table: TableState = publishing(), before: Partial<Settings> = {}) {
  const { outside } = worldOf({ settings: { ...SKIPPED, ...settings } });
  const { outside: last } = worldOf({ settings: { ...SKIPPED, ...before } });
  const tables = new Map([[TOPIC, table]]);
  const stored = { ...EMPTY, tables, lastRun: { keys: keysOfFile(last.settings), unreported: {} } };
  return { stored, ...followFile(outside, stored, tables, [tableOf([ID, NAME])]) };
}

const keyed = (columns: readonly string[] | undefined): Partial<Settings> => ({
  filter: { table: () => true, column: () => true, keyColumns: () => columns },
  "message.key.columns": [{ text: `public.customers.${String(columns)}`, plain: true, matches: () => true }],
});

describe("a file that was changed between two runs", () => {
  it("changes nothing where it says the same", () => {
    const { stored, lastRun, jobs, tables } = start({});
    expect([lastRun, jobs, tables]).toEqual([stored.lastRun, [], stored.tables]);
    expect(lastRun).toBe(stored.lastRun);
  });

  it("is reported for each changed key, with the value before", () => {
    const { lastRun } = start({ "tombstones.on.delete": false, "snapshot.mode": "initial" });
    expect(lastRun.unreported).toEqual({ "tombstones.on.delete": "true", "snapshot.mode": "no_data" });
    const decides = start({ "fieldgate.on.poison": "dead-letter", "fieldgate.on.unfit": "stop" });
    expect(decides.lastRun.unreported).toEqual({ "fieldgate.on.poison": "park", "fieldgate.on.unfit": "park" });
  });

  it("that no longer skips updates publishes all rows again", () => {
    const { jobs, lastRun } = start({ "skipped.operations": new Set(["t"]) });
    expect(jobs).toMatchObject([{ id: `repair/${TOPIC}`, state: "running" }]);
    expect(lastRun.unreported).toEqual({ "skipped.operations": "t,u" });
  });

  it("with another placeholder is refused with the fields that it stands in", () => {
    const changed = { modes: { ...DEFAULT_MODES, placeholder: "absent" }, "unavailable.value.placeholder": "absent" };
    expect(() => start(changed)).toThrow(
      expect.objectContaining({ code: "config-invalid", message: expect.stringContaining(`${TOPIC}.name`) }),
    );
  });

  it("with a mode that no schema would show is refused with the fields that it concerns", () => {
    const bytes = { ...column(3, "b", "text"), type: { oid: 17, typmod: -1 }, typeName: "bytea" };
    const modes = (binary: "base64" | "hex"): Partial<Settings> => ({
      modes: { ...DEFAULT_MODES, binary },
      "binary.handling.mode": binary,
    });
    const field = fieldOf(bytes, { ...DEFAULT_MODES, binary: "base64" });
    if (field.kind !== "field") throw new Error("bytea is not mapped");
    const { shape, ...table } = publishing();
    const withBytes = { ...table, shape: { ...shape, fields: [...shape.fields, field.field] } };
    const after = (mode: "base64" | "hex") => () => start(modes(mode), withBytes, modes("base64"));
    expect(after("base64")).not.toThrow();
    expect(after("hex")).toThrow(
      expect.objectContaining({
        code: "config-invalid",
        message: expect.stringContaining(`binary.handling.mode (was base64) for ${TOPIC}.b`),
      }),
    );
  });

  it("with another key of the events is refused with the key that they have", () => {
    expect(() => start(keyed(["name"]))).toThrow(/public\.customers has events with key \(id\).* says \(name\)/);
    expect(() => start(keyed(["id"]))).not.toThrow();
  });

  it("that no longer gives the key is refused where the table's own key is another, and frees it otherwise", () => {
    const [, name] = publishing().shape.fields;
    const byName = { ...publishing(), rowKey: [attnum(1)] };
    const other = { ...byName, shape: { ...byName.shape, key: name === undefined ? [] : [name] } };
    expect(() => start(keyed(undefined), other)).toThrow(/events with key \(name\).* says \(id\)/);
    expect(start(keyed(undefined), byName).tables.get(TOPIC)?.rowKey).toBeUndefined();
  });
});
