import { expect, it } from "vitest";
import type { Change } from "../../src/gate/amendment/amendment.ts";
import { createWaits } from "../../src/guard/waits.ts";
import { meanwhileIn } from "../../src/service/trouble-view.ts";
import { added, column, fieldFor, NAME, publishing, stateOf } from "../gate/customers.ts";
import { starting } from "./starting.ts";

const OLD = fieldFor(NAME);
const NEW = { ...fieldFor(column(2, "name_2", "int")), attnum: OLD.attnum };

function shown(change: Change, fields: readonly (typeof OLD)[]): string {
  const table = publishing();
  const state = stateOf({ ...table, shape: { ...table.shape, fields } });
  const amendment = { ...added(NAME), kind: "changed", changes: [change] } as const;
  return meanwhileIn({ ...starting(createWaits(() => 0)), state }, amendment, undefined);
}

it.each<[what: string, change: Change, fields: readonly (typeof OLD)[], expected: string]>([
  [
    "a retyped column",
    "retyped",
    [OLD],
    "Events keep the field as it was, as long as every value fits it without loss.",
  ],
  [
    "a retyped column that was released with --beside",
    "retyped",
    [OLD, NEW],
    "Events have the column's values in name_2, beside name; name is null where a value does not fit its type.",
  ],
  [
    "a renamed column that was released with --beside",
    "renamed",
    [OLD, NEW],
    "Events have the column's values in name_2, beside name.",
  ],
])("what events of %s contain meanwhile is shown", (_, change, fields, expected) => {
  expect(shown(change, fields)).toBe(expected);
});
