import { expect, it } from "vitest";
import { GuardError } from "../../../src/errors.ts";
import { registerChecked } from "../../../src/guard/control/register.ts";
import type { Registry } from "../../../src/registry/client.ts";
import { schemaId } from "../../../src/table/shape.ts";

const TEXT = `{"type":"record","name":"A","fields":[]}`;

/** A registry that registers everything under id 7, and has what `schemaById` returns. */
function registryWith(schemaById: () => Promise<string | undefined>) {
  const registry = { register: async () => ({ kind: "registered", id: schemaId(7) }), schemaById };
  return registry as unknown as Registry; // what is asked of one
}

const register = (schemaById: () => Promise<string | undefined>) =>
  registerChecked(registryWith(schemaById), "a-value", TEXT).catch((error: unknown) => error);

it("an id counts if the registry has the schema under it, however its JSON is written", async () => {
  const spaced = JSON.stringify(JSON.parse(TEXT), undefined, 2);
  expect(await register(async () => spaced)).toEqual({ kind: "registered", id: 7 });
});

it("an id counts if the registry returns a text of its own for the same schema", async () => {
  expect(await register(async () => `{"type":"record","name":"A","doc":"","fields":[]}`)).toMatchObject({ id: 7 });
});

it.each([
  ["another schema", `"string"`],
  ["no schema", undefined],
  ["a text that is not JSON", "syntax = proto3"],
])("an id under which the registry has %s reaches no event", async (_, found) => {
  expect(await register(async () => found)).toMatchObject({
    code: "registry-down",
    text: expect.stringContaining("id 7"),
  });
});

it("an id counts if the registry's user may not read schemas by id", async () => {
  const forbidden = new GuardError("registry-refused", "status 403");
  expect(await register(() => Promise.reject(forbidden))).toEqual({ kind: "registered", id: 7 });
});

it("an id does not count while the registry does not answer", async () => {
  expect(await register(() => Promise.reject(new GuardError("registry-down", "no answer")))).toMatchObject({
    code: "registry-down",
  });
});
