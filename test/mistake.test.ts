import { expect, it } from "vitest";

import { nearestName } from "../src/mistake.ts";

it.each<[name: string, known: readonly string[], nearest: string | undefined]>([
  ["nmae", ["id", "name", "zip"], "name"],
  ["public.custmers", ["public.orders", "public.customers"], "public.customers"],
  ["Customers", ["customers"], "customers"],
  ["prodution", ["default", "production"], "production"],
  ["zipp", ["zip"], "zip"],
  ["ab", ["ba"], undefined],
  ["abc", ["xyz"], undefined],
  ["billing", ["shipping"], undefined],
  ["id", [], undefined],
])("the nearest name to %s among %j is %s", (name, known, nearest) => {
  expect(nearestName(name, known)).toBe(nearest);
});
