import { describe, expect, it } from "vitest";
import { GuardError } from "../../../src/errors.ts";
import { verifySchemas } from "../../../src/guard/control/verify-schemas.ts";
import type { Notice } from "../../../src/guard/outside.ts";
import type { Registry } from "../../../src/registry/client.ts";
import { schemaId } from "../../../src/table/shape.ts";
import { ID, NAME, publishing, stateOf, TOPIC } from "../../gate/customers.ts";
import { worldOf } from "../session.ts";

const { tables } = stateOf(publishing([ID, NAME]));
const shape = publishing([ID, NAME]).shape;
const texts = new Map(
  [shape.valueSchema, shape.keySchema].flatMap((one) => (one ? [[one.id, one.text] as const] : [])),
);
const never = new AbortController().signal;

async function verify(registry: Partial<Registry>) {
  const waits = { sleep: () => new Promise<void>(() => {}) };
  const notices: Notice[] = [];
  const notice = async (one: Notice) => void notices.push(one);
  const { outside, log } = worldOf({ registry, outside: { ...waits, notice } });
  const moved = await verifySchemas(outside, tables, never).catch((error: unknown) => error);
  return { moved, log, notices };
}

describe("the published schemas, at a start", () => {
  it("that the registry has under their ids do not change, however their JSON is written", async () => {
    const spaced = (text: string | undefined) => text && JSON.stringify(JSON.parse(text), undefined, 2);
    expect((await verify({ schemaById: async (id) => spaced(texts.get(id)) })).moved).toEqual(new Map());
  });

  it.each([
    ["does not know", undefined],
    ["has for a different schema", `"string"`],
  ])("whose id the registry %s are registered again, and events have the new id", async (_, found) => {
    const { moved, log, notices } = await verify({
      schemaById: async () => found,
      register: async (subject) => ({ kind: "registered", id: schemaId(subject.endsWith("-key") ? 71 : 70) }),
    });
    expect(moved).toBeInstanceOf(Map);
    const table = moved instanceof Map ? (moved as typeof tables).get(TOPIC) : undefined; // checked just before
    expect(table?.shape.valueSchema).toEqual({ id: 70, text: shape.valueSchema.text });
    expect(table?.shape.keySchema?.id).toBe(71);
    expect(table?.flowed.map(({ id }) => id)).toEqual([70]);
    expect(log.filter((line) => line.includes(`${TOPIC}: `))).toHaveLength(2);
    expect(notices).toMatchObject([
      { id: `registry-changed/${TOPIC}/70`, about: "registry", severity: "warn", what: expect.stringContaining(TOPIC) },
    ]);
  });

  it("that the subject no longer accepts stop the connector, and the error names the subject", async () => {
    const { moved } = await verify({
      schemaById: async () => undefined,
      register: async () => ({ kind: "refused", status: 409, message: "incompatible" }),
    });
    expect(moved).toMatchObject({ code: "registry-refused", text: expect.stringContaining(`${TOPIC}-value`) });
  });

  it("are compared later if the registry does not answer, and a warning is logged", async () => {
    const down = new GuardError("registry-down", "no answer");
    const { moved, log } = await verify({ schemaById: () => Promise.reject(down) });
    expect(moved).toEqual(new Map());
    expect(log.join()).toContain("once it answers");
  });
});
