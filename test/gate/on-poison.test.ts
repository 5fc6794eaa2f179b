import { describe, expect, it } from "vitest";
import { decide } from "../../src/gate/decide.ts";
import { isPoison } from "../../src/gate/on-poison.ts";
import type { StuckChange } from "../../src/gate/poison.ts";
import type { Input, OperatorCommand, State } from "../../src/gate/state.ts";
import { renderOutcome } from "../../src/words/reason.ts";
import { column, ID, play, publishing, RULES, seen, stateOf, tableIn, TOPIC, WHEN } from "./customers.ts";

const ROW = `${TOPIC}/row`;

function stuck(at: string, ways: StuckChange["ways"] = ["null", "dead-letter"]): Input {
  return { kind: "row-stuck", topic: TOPIC, stuck: { at, code: "value-unfit", field: "name", ways } };
}

function release(id: string, more: Partial<OperatorCommand> = {}): Input {
  const command = {
    id,
    kind: "release",
    ids: [ROW],
    as: "null",
    reason: "the import",
    actor: "anna",
    ...more,
  } as const;
  return { kind: "command", command };
}

function stateAfter(...inputs: readonly Input[]): State {
  return inputs.reduce((state, input) => decide(RULES, state, input, WHEN).state, stateOf());
}

function outcomeOf(state: State, id: string) {
  const outcome = state.outcomes.get(id);
  return outcome && renderOutcome(outcome);
}

describe("poisoned changes", () => {
  it("are counted by what became of them, with the last one", () => {
    const last = { way: "null", code: "value-unfit", field: "name", position: "0/9" } as const;
    const input = (count: number): Input => ({
      kind: "poisoned",
      topic: TOPIC,
      counts: { null: count, "dead-letter": 1 },
      last,
    });
    expect(tableIn(stateAfter(input(2), input(3))).poison).toEqual({
      counts: { null: 5, "dead-letter": 2 },
      last: { ...last, time: WHEN.time },
    });
  });

  it("are those of a value, or of a size, that no amendment explains", () => {
    const unfit = { table: "public.customers", field: "name", isNull: false, isValue: true, part: "after" } as const;
    const table = publishing();
    expect(isPoison(table, { code: "value-unfit", unfit })).toBe(true);
    expect(isPoison(table, { code: "record-too-large", unfit: undefined })).toBe(true);
    expect(isPoison(table, { code: "value-unfit", unfit: { ...unfit, isNull: true, isValue: false } })).toBe(false);
    expect(isPoison(table, { code: "key-changed", unfit: undefined })).toBe(false);
    const retyped = play(RULES, stateOf(table), seen([ID, column(2, "name", "bigint")])).state;
    expect(isPoison(tableIn(retyped), { code: "value-unfit", unfit })).toBe(false);
  });
});

describe("release TOPIC/row", () => {
  it("waits until the change became what it ordered, and is done then", () => {
    const ordered = stateAfter(stuck("log 0/9 1"), release("c1"));
    expect(outcomeOf(ordered, "c1")?.kind).toBe("pending");
    expect(tableIn(ordered).poison?.stuck?.order).toEqual({
      way: "null",
      actor: "anna",
      reason: "the import",
      command: "c1",
    });
    const { state } = decide(RULES, ordered, { kind: "row-passed", topic: TOPIC, way: "null" }, WHEN);
    expect(tableIn(state).poison?.stuck).toBeUndefined();
    expect(outcomeOf(state, "c1")).toEqual({ kind: "done", message: "published with null instead of the value" });
  });

  it.each<readonly [why: string, before: readonly Input[], more: Partial<OperatorCommand>, message: RegExp]>([
    ["no change waits", [], {}, /no change of .* waits/],
    ["it does not say what becomes of the change", [stuck("a")], { as: undefined }, /--as null or --as dead-letter/],
    ["it has no reason", [stuck("a")], { reason: " " }, /say why with --reason/],
    ["null is not possible", [stuck("a", ["dead-letter"])], {}, /null is not possible/],
    ["it names other things as well", [stuck("a")], { ids: [ROW, `${TOPIC}/2`] }, /released alone/],
    ["it is about an amendment", [stuck("a")], { ids: [`${TOPIC}/2`] }, /--as is for TOPIC\/row/],
    ["it is no release", [stuck("a")], { kind: "withhold" }, /no change of .* waits/],
  ])("is refused where %s", (_, before, more, message) => {
    const state = stateAfter(...before, release("c1", more));
    expect(outcomeOf(state, "c1")).toMatchObject({ kind: "refused", message: expect.stringMatching(message) });
    expect(tableIn(state).poison?.stuck?.order).toBeUndefined();
  });

  it("is for the change that waited when it was given, and for no other", () => {
    const state = stateAfter(stuck("log 0/9 1"), release("c1"), stuck("log 0/9 2"));
    expect(outcomeOf(state, "c1")).toMatchObject({
      kind: "refused",
      message: expect.stringMatching(/no longer waits/),
    });
    expect(tableIn(state).poison?.stuck).toMatchObject({ at: "log 0/9 2" });
    expect(tableIn(state).poison?.stuck?.order).toBeUndefined();
  });

  it("is replaced by a later one for the same change", () => {
    const state = stateAfter(stuck("a"), release("c1"), release("c2", { as: "dead-letter" }));
    expect(outcomeOf(state, "c1")?.kind).toBe("refused");
    expect(tableIn(state).poison?.stuck?.order?.way).toBe("dead-letter");
  });

  it("is refused once the change was published as it is", () => {
    const state = stateAfter(stuck("a"), release("c1"), { kind: "row-passed", topic: TOPIC, way: undefined });
    expect(outcomeOf(state, "c1")?.kind).toBe("refused");
  });

  it("stays refused with the reason why dead letters cannot be written", () => {
    const refused = { kind: "dead-letters-refused", topic: "letters", text: "no right" } as const;
    const again: Input = { ...stuck("a"), refused } as Input; // a stuck change, see above
    const state = stateAfter(stuck("a"), release("c1", { as: "dead-letter" }), again);
    expect(outcomeOf(state, "c1")).toMatchObject({ message: expect.stringMatching(/letters: no right/) });
  });
});

it("a change that waits is recorded once, with the position since when", () => {
  const once = stateAfter(stuck("a"));
  expect(tableIn(once).poison?.stuck).toMatchObject({ at: "a", since: WHEN.position, time: WHEN.time });
  expect(decide(RULES, once, stuck("a"), WHEN).state).toBe(once);
});
