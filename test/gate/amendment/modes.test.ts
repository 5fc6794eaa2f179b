import { describe, expect, it } from "vitest";
import { fieldOf } from "../../../src/event/field.ts";
import { DEFAULT_MODES, type ValueModes } from "../../../src/event/types/modes.ts";
import { decide } from "../../../src/gate/decide.ts";
import { hiddenChanges, isModesNews } from "../../../src/gate/amendment/modes.ts";
import { relationOf } from "../../../src/gate/amendment/seen.ts";
import type { Rules, TableState } from "../../../src/gate/state.ts";
import type { Column } from "../../../src/table/column.ts";
import { describeAmendment } from "../../../src/words/amendment.ts";
import { column, ID, publishing, RULES, stateOf, tableOf, TOPIC, WHEN } from "../customers.ts";

const numeric = (modifier = -1): Column => ({
  ...column(2, "n", "text"),
  type: { oid: 1700, typmod: modifier },
  typeName: "numeric(10,2)",
});
const typed = (oid: number, name = "v"): Column => ({ ...column(2, name, "text"), type: { oid, typmod: -1 } });

function rulesWith(modes: Partial<ValueModes>, mode: Rules["mode"] = "guard"): Rules {
  return { ...RULES, mode, modes: { ...DEFAULT_MODES, ...modes } };
}

function publishingUnder(modes: Partial<ValueModes>, columns: readonly Column[]): TableState {
  const fields = columns.flatMap((one) => {
    const mapped = fieldOf(one, { ...DEFAULT_MODES, ...modes });
    return mapped.kind === "field" ? [mapped.field] : [];
  });
  const table = publishing();
  return {
    ...table,
    shape: { ...table.shape, fields },
    known: columns.map(({ attnum, name, type }) => ({ attnum, name, type })),
  };
}

/** What the loop does at the start: compares the table with the catalog if there is news. */
function restarted(table: TableState, columns: readonly Column[], rules: Rules): TableState | undefined {
  if (!isModesNews(rules, table)) return table;
  const input = { kind: "seen", topic: TOPIC, ...relationOf(tableOf(columns)) } as const;
  return decide(rules, stateOf(table), input, WHEN).state.tables.get(TOPIC);
}

const TIME = 1083;
const TIMESTAMP = 1114;
const INTERVAL = 1186;
const BYTEA = 17;
const UNKNOWN = 9999;
const NUMERIC_10_2 = (10 << 16) + 6;

describe("a value mode that was changed in the file makes each field it concerns an amendment", () => {
  const rows: readonly [string, Column, Partial<ValueModes>, Partial<ValueModes>][] = [
    ["decimal.handling.mode", numeric(NUMERIC_10_2), {}, { decimal: "string" }],
    ["decimal.handling.mode back", numeric(NUMERIC_10_2), { decimal: "double" }, {}],
    ["money.fraction.digits", typed(790), {}, { moneyDigits: 4 }],
    ["time.precision.mode of a time", typed(TIME), {}, { time: "isostring" }],
    ["time.precision.mode of a timestamp", typed(TIMESTAMP), {}, { time: "connect" }],
    ["interval.handling.mode", typed(INTERVAL), {}, { interval: "string" }],
    ["binary.handling.mode", typed(BYTEA), {}, { binary: "hex" }],
    ["binary.handling.mode back", typed(BYTEA), { binary: "hex" }, {}],
    ["include.unknown.datatypes off", typed(UNKNOWN), { unknownTypes: true }, {}],
  ];
  it.each(rows)("%s", (_, one, before, now) => {
    const columns = [ID, one];
    const table = publishingUnder(before, columns);
    const after = restarted(table, columns, rulesWith(now));
    expect(after?.amendments).toMatchObject([
      { id: `${TOPIC}/2`, kind: "changed", changes: ["retyped"], byFile: true, gate: { kind: "withheld" } },
    ]);
    // The events stay as they were, and the amendment goes when the mode is set back.
    expect(after?.shape).toEqual(table.shape);
    expect(after && restarted(after, columns, rulesWith(before))?.amendments).toEqual([]);
    expect(restarted(table, columns, rulesWith(before))).toBe(table);
  });

  it("field.name.adjustment.mode renames the field", () => {
    const columns = [ID, typed(25, "a-b")];
    const table = publishingUnder({}, columns);
    const after = restarted(table, columns, rulesWith({ fieldNames: "avro_unicode" }));
    expect(after?.amendments).toMatchObject([{ kind: "changed", changes: ["renamed"] }]);
  });

  it("in words it is the file that changed, not the column", () => {
    const columns = [ID, numeric(NUMERIC_10_2)];
    const after = restarted(publishingUnder({}, columns), columns, rulesWith({ decimal: "string" }));
    const [amendment] = after?.amendments ?? [];
    expect(amendment && describeAmendment(amendment)).toBe(
      "column n is mapped to a different type by the connector's file",
    );
  });

  it("except where Debezium publishes, whose own file decides", () => {
    expect(isModesNews(rulesWith({ decimal: "string" }, "watch"), publishingUnder({}, [ID, numeric()]))).toBe(false);
  });
});

describe("a change that no schema shows", () => {
  const binary = publishingUnder({ binary: "base64" }, [ID, typed(BYTEA)]);

  it("names each field whose values would be written differently", () => {
    const was = { binary: "base64", placeholder: "gone" } as const;
    const now: ValueModes = { ...DEFAULT_MODES, binary: "hex", placeholder: "absent" };
    expect(hiddenChanges(was, now, [binary])).toEqual([
      { key: "binary.handling.mode", fields: [`${TOPIC}.v`] },
      { key: "unavailable.value.placeholder", fields: [`${TOPIC}.v`] },
    ]);
  });

  it("is none where the texts are the same, or where no field has any", () => {
    const { placeholder } = DEFAULT_MODES;
    const bytes: ValueModes = { ...DEFAULT_MODES, binary: "bytes" };
    expect(hiddenChanges({ binary: "hex", placeholder }, bytes, [binary])).toEqual([]);
    expect(hiddenChanges({ binary: "base64", placeholder: "gone" }, bytes, [publishingUnder({}, [ID])])).toEqual([]);
  });
});
