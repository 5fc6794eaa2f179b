import { known } from "../contract/known.ts";
import { expect, it } from "vitest";

import type { Counts } from "../../src/api/api.ts";
import type { Contract } from "../../src/contract/contract.ts";
import type { State } from "../../src/gate/state.ts";
import { createWaits } from "../../src/guard/waits.ts";
import { countsOf } from "../../src/service/counts.ts";
import type { RunningConnector, RunningConnectors } from "../../src/service/running.ts";
import { added, fits, idOf, NICK, play, publishing, REPLICA, RULES, stateOf, TOPIC } from "../gate/customers.ts";
import { starting } from "./starting.ts";

interface Given {
  readonly name: string;
  readonly state: State | undefined;
  readonly environment: string;
}

function all(connectors: readonly Given[], contracts: readonly Contract[] = []): RunningConnectors {
  const running = ({ name, state }: Given): RunningConnector => ({ ...starting(createWaits(() => 0)), name, state });
  return {
    connectors: connectors.map(running),
    planners: new Map(
      connectors.map(({ name, environment }) => [name, { rules: { ...RULES, "fieldgate.environment": environment } }]),
    ),
    controlTopics: { contracts: () => known(...contracts) },
    lastPoll: () => undefined,
  };
}

const contract: Contract = { ...REPLICA, environment: "production", fields: ["id", "name"], ignores: ["nick"] };
const withheld = stateOf({ ...publishing(), amendments: [added(NICK)] });
const judged = play(RULES, withheld, fits(withheld, idOf(NICK))).state;
const NONE: Given[] = [];

it.each<[what: string, connectors: readonly Given[], counts: Counts]>([
  [
    "for the connector that publishes its topic in its environment",
    [
      { name: "shop", state: stateOf(), environment: "production" },
      { name: "shop-test", state: stateOf(), environment: "test" },
    ],
    { kind: "counts", connectors: ["shop"], errors: [], withheld: [] },
  ],
  [
    "for a withheld field; while the registry has not answered, it is unknown whether the consumer is ready",
    [{ name: "shop", state: withheld, environment: "production" }],
    {
      kind: "counts",
      connectors: ["shop"],
      errors: [],
      withheld: [{ id: idOf(NICK), field: "nick", verdict: "unknown", waitsFor: [] }],
    },
  ],
  [
    "nowhere if its topic is published in another environment",
    [{ name: "shop", state: stateOf(), environment: "default" }],
    { kind: "nowhere", environments: ["default"], nearest: null },
  ],
  ["nowhere without connectors", NONE, { kind: "nowhere", environments: [], nearest: null }],
  [
    "unknown while a connector of its environment has not read its state",
    [
      { name: "shop", state: stateOf(), environment: "default" },
      { name: "orders", state: undefined, environment: "production" },
    ],
    { kind: "unknown", connectors: ["orders"] },
  ],
  [
    "nowhere although a connector of a different environment has not read its state",
    [
      { name: "shop", state: stateOf(), environment: "default" },
      { name: "orders", state: undefined, environment: "test" },
    ],
    { kind: "nowhere", environments: ["default"], nearest: null },
  ],
])("a contract counts %s", (_, connectors, counts) => {
  expect(countsOf(all(connectors, [contract]), contract, 0)).toEqual(counts);
});

it("a contract on a misspelt topic counts nowhere, and the nearest topic is named with its environment", () => {
  const shop = { name: "shop", state: stateOf(), environment: "production" };
  expect(countsOf(all([shop]), { ...contract, topic: "inventory.public.custmers" }, 0)).toEqual({
    kind: "nowhere",
    environments: [],
    nearest: { topic: TOPIC, environment: "production" },
  });
});

it("a withheld field's verdicts include the contract that was just published, and name the others it waits for", () => {
  const shop = { name: "shop", state: judged, environment: "production" };
  const other = { ...contract, consumer: "audit", ignores: [] };
  expect(countsOf(all([shop], [contract, other]), contract, 0)).toMatchObject({
    withheld: [{ id: idOf(NICK), verdict: "ready", waitsFor: ["audit"] }],
  });
  const unready = { ...contract, ignores: [] };
  expect(countsOf(all([shop], [unready]), unready, 0)).toMatchObject({
    withheld: [{ id: idOf(NICK), verdict: "not-ready", waitsFor: [] }],
  });
});

it("a misspelt field is an error against the current events, with the nearest name", () => {
  const shop = { name: "shop", state: stateOf(), environment: "production" };
  const misspelt = { ...contract, fields: ["id", "nmae"] };
  expect(countsOf(all([shop], [misspelt]), misspelt, 0)).toMatchObject({
    errors: [
      {
        rule: "contract/field-missing",
        field: "after.nmae",
        remedy: expect.stringMatching(/^write "name" in `fields` if you mean that column/),
      },
    ],
  });
});

it("a field that is withheld is no error, because the contract may name it before it flows", () => {
  const shop = { name: "shop", state: withheld, environment: "production" };
  const ahead = { ...contract, fields: ["id", "nick"] };
  expect(countsOf(all([shop], [ahead]), ahead, 0)).toMatchObject({ kind: "counts", errors: [] });
});

it("a connector that has stopped is named with the reason and the next step, although the contract counts for it", () => {
  const shop = { name: "shop", state: stateOf(), environment: "production" };
  const running = all([shop], [contract]);
  const [first] = running.connectors;
  const stopped = {
    ...first,
    status: { kind: "stopped", code: "slot-lost", message: "the slot is lost", next: "go on" },
  };
  const connectors = [stopped as RunningConnector]; // the same connector, with a different status
  expect(countsOf({ ...running, connectors }, contract, 0)).toMatchObject({
    kind: "counts",
    connectors: ["shop"],
    troubles: [{ connector: "shop", status: "stopped", what: "the slot is lost", next: "go on" }],
  });
});
