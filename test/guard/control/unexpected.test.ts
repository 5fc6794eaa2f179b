import { expect, it, vi } from "vitest";
import type { Contract } from "../../../src/contract/contract.ts";
import { contractKey } from "../../../src/contract/contract.ts";
import type { Input } from "../../../src/gate/state.ts";
import type * as Decide from "../../../src/gate/decide.ts";
import { apply } from "../../../src/guard/control/apply.ts";
import { fits, ID, idOf, NAME, NICK, release, seen, tableIn, TOPIC } from "../../gate/customers.ts";
import { until } from "../../stack/until.ts";
import { sessionIn, worldOf } from "../session.ts";

const decide = vi.hoisted(() => ({ throws: (_input: Input): boolean => false }));
vi.mock("../../../src/gate/decide.ts", async (original) => {
  const real = await original<typeof Decide>();
  return {
    decide: (...given: Parameters<typeof real.decide>) => {
      if (decide.throws(given[2])) throw new TypeError("a row's value");
      return real.decide(...given);
    },
  };
});

/** A session with a withheld column, in which deciding about this kind of input ends with an unexpected error once. */
function failingAt(kind: Input["kind"]) {
  const world = worldOf({ rules: { "fieldgate.release.policy": "contracts" } });
  const session = sessionIn(world);
  decide.throws = () => false;
  session.control.work.judging.add(idOf(NICK));
  apply(session, seen([ID, NAME, NICK]));
  let failed = false;
  decide.throws = (input) => {
    if (failed || input.kind !== kind) return false;
    failed = true;
    return true;
  };
  const gate = () => tableIn(session.control.state).amendments[0]?.gate;
  return { world, session, gate };
}

const contract: Contract = {
  version: 1,
  environment: "default",
  consumer: "billing",
  topic: TOPIC,
  decodesWith: "writer",
  unknownFields: "accept",
};

it("a contract that cannot be processed counts as one whose content is unknown, and the loop continues", () => {
  const { world, session, gate } = failingAt("contract");
  apply(session, { kind: "contract", key: contractKey(contract), contract });
  expect(session.control.state.contracts.get(TOPIC)?.get(contractKey(contract))).toMatchObject({ unreadable: true });
  apply(session, fits(session.control.state, idOf(NICK)));
  expect(gate()).toMatchObject({ kind: "withheld", reason: { kind: "not-ready", consumers: ["billing"] } });
  expect(world.log.join()).toContain("a contract could not be processed: unexpected TypeError");
  expect(world.log.join()).not.toContain("a row's value");
});

it("a command that cannot be processed is refused, and the loop continues", () => {
  const { session, gate } = failingAt("command");
  apply(session, release([idOf(NICK)]));
  expect(session.control.state.outcomes.get("c1")).toEqual({ kind: "refused", refusals: [{ kind: "failed" }] });
  expect(gate()?.kind).toBe("withheld");
});

it("a registry's answer that cannot be processed counts as none, and the field remains withheld", () => {
  const { session, gate } = failingAt("judged");
  apply(session, fits(session.control.state, idOf(NICK)));
  expect(gate()).toMatchObject({ kind: "withheld", reason: { kind: "registry-unanswered" } });
});

it("a poll of the groups that cannot be processed counts as one that failed", () => {
  const { session } = failingAt("groups");
  apply(session, { kind: "groups", poll: { kind: "seen", byTopic: new Map(), at: 7 } });
  expect(session.control.state.evidence.lastPoll).toMatchObject({ at: 7, why: expect.any(String) });
});

it("a registry that is asked again after an unexpected error in its answer does not end the loop", async () => {
  decide.throws = () => false;
  let asked = 0;
  const check = () => {
    asked += 1;
    return asked < 3 ? Promise.reject(new TypeError("of undefined")) : Promise.resolve({ kind: "compatible" } as const);
  };
  const world = worldOf({ registry: { check }, rules: { "fieldgate.release.policy": "manual" } });
  const session = sessionIn(world);
  apply(session, seen([ID, NAME, NICK]));
  await until(() => session.control.inbox.length > 1, "the registry has answered");
  expect(session.control.inbox.map(({ input }) => input)).toMatchObject([
    { kind: "judged", answer: { kind: "unanswered", code: "registry-down" } },
    { kind: "judged", answer: { kind: "fits" } },
  ]);
  expect(() => session.waker.throwIfFailed()).not.toThrow();
});

it("an unexpected error about the table itself ends the session, because its rows cannot be interpreted", () => {
  const { session } = failingAt("seen");
  expect(() => apply(session, seen([ID, NAME]))).toThrow(TypeError);
});
