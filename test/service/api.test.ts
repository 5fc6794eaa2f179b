import { type Contracts, eachContract, withContract } from "../../src/contract/contracts.ts";
import { describe, expect, it } from "vitest";
import type { Outcome } from "../../src/gate/decision/reason.ts";

import type { Api } from "../../src/api/api.ts";
import { schemaId } from "../../src/table/shape.ts";
import { newJob } from "../../src/chunk/job.ts";
import type { Amendment } from "../../src/gate/amendment/amendment.ts";
import type { Parked } from "../../src/gate/parking/parked.ts";
import type { TableState } from "../../src/gate/state.ts";
import { createApi } from "../../src/service/api.ts";
import type { Contract } from "../../src/contract/contract.ts";
import type { ControlTopics } from "../../src/service/control-topics.ts";
import { createWaits } from "../../src/guard/waits.ts";
import type { RunningConnector } from "../../src/service/running.ts";
import type { Column } from "../../src/table/column.ts";
import { added, idOf, NICK, publishing, stateOf, TOPIC, WHEN, ZIP } from "../gate/customers.ts";
import { starting } from "./starting.ts";

const contract: Contract = {
  version: 1,
  environment: "production",
  consumer: "billing",
  topic: "inventory.public.customers",
  decodesWith: "writer",
  unknownFields: "accept",
};
const NAMED = { environment: "production", consumer: "billing", topic: "inventory.public.customers" };
const KEY = "production/billing/inventory.public.customers";

/** The contracts topic as a log. Appended records are visible only after reading to the end. */
function service(connectors: readonly RunningConnector[] = [], waiting = 0) {
  const log: (readonly [string, Contract | undefined])[] = [];
  let contracts: Contracts = new Map();
  const readContractsToEnd = async () => {
    contracts = log.reduce<Contracts>((all, [key, value]) => withContract(all, key, value), new Map());
  };
  const controlTopics: ControlTopics = {
    topics: { contracts: "contracts", commands: "commands" },
    of: () => {
      throw new Error("not used");
    },
    contracts: () => contracts,
    waitingCommands: () => waiting,
    readContractsToEnd,
    followCommands: async () => {},
    [Symbol.asyncDispose]: async () => {},
  };
  const api = createApi({
    deployment: "main",
    version: "0",
    connectors,
    controlTopics,
    appender: {
      append: async (_topic, _partition, key, value) => {
        log.push([String(key), value === null ? undefined : JSON.parse(value.toString())]);
        return { offset: BigInt(log.length - 1) };
      },
      [Symbol.asyncDispose]: async () => {},
    },
    lastPoll: () => undefined,
    planners: new Map(),
  });
  const now = async () => {
    await readContractsToEnd();
    return Array.from(eachContract(contracts), ([, { fields }]) => fields?.join() ?? "all");
  };
  return { api, log, now };
}

describe("contracts of one consumer", () => {
  const b = { ...contract, fields: ["b"] };
  const c = { ...contract, fields: ["c"] };

  it("that are being rolled out count with the deployed one until the next plain publish, which is written first", async () => {
    const { api, log, now } = service();
    await api.publishContract(contract);
    await api.publishRollingOut(b);
    await api.publishRollingOut(c);
    await api.publishRollingOut(c);
    expect(await now()).toEqual(["all", "b", "c"]);
    await api.publishContract(c);
    expect(await now()).toEqual(["c"]);
    expect(log.slice(4).map(([key, value]) => [key === KEY, value?.fields])).toEqual([
      [true, ["c"]],
      [false, undefined],
      [false, undefined],
    ]);
  });

  it("are all withdrawn by retire, and no other contracts", async () => {
    const { api, now } = service();
    await api.publishContract(contract);
    await api.publishRollingOut(b);
    await api.publishContract({ ...contract, consumer: "billing-2", fields: ["x"] });
    await api.publishContract({ ...contract, topic: `${contract.topic}_2`, fields: ["y"] });
    await api.publishContract({ ...contract, environment: "test", fields: ["z"] });
    expect(await api.retireContract(NAMED)).toEqual({ retired: 2, waited: [] });
    expect((await now()).toSorted()).toEqual(["x", "y", "z"]);
    expect(await api.retireContract(NAMED)).toEqual({ retired: 0, waited: [] });
  });
});

describe("a connector that waits", () => {
  const waiting = (since: number): RunningConnector => {
    const waits = createWaits(() => since);
    waits.begin("PostgreSQL", "to read the columns of table 16384", { limitMs: 60_000 });
    return starting(waits, ["pid 7 (psql, user ann)"]);
  };

  it("shows for how long and what causes it; its health names neither tables nor sessions", async () => {
    const { api } = service([waiting(performance.now() - 7200)]);
    expect(await api.health()).toMatchObject({ waiting: [{ connector: "inventory", for: "PostgreSQL", seconds: 7 }] });
    expect(JSON.stringify(await api.health())).not.toMatch(/16384|ann/);
    expect(await api.connectors()).toMatchObject([
      {
        waiting: {
          for: "PostgreSQL, to read the columns of table 16384",
          seconds: 7,
          limitSeconds: 60,
          causes: ["pid 7 (psql, user ann)"],
        },
      },
    ]);
  });

  it("shows nothing for the first seconds", async () => {
    const { api } = service([waiting(performance.now())]);
    expect(await api.health()).not.toHaveProperty("waiting");
    expect((await api.connectors())[0]?.waiting).toBeUndefined();
  });
});

function running(
  name: string,
  state: RunningConnector["state"],
  more: Partial<RunningConnector> = {},
): RunningConnector {
  return { ...starting(createWaits(() => 0)), name, state, publication: `fieldgate_${name}`, ...more };
}

describe("a snapshot or backfill that is running", () => {
  const job = newJob(`repair/${TOPIC}`, TOPIC, "backfill");
  const parked: Parked = {
    id: "p",
    why: { code: "value-unfit", text: "the value does not fit" },
    since: "0/1",
    time: WHEN.time,
    written: 1,
    replayed: 0,
    passedOver: 0,
    reported: true,
  };
  const whyWith = async (table: TableState) => {
    const state = { ...stateOf(table), jobs: new Map([[job.id, job]]) };
    const [connector] = await service([running("inventory", state)]).api.connectors();
    return connector?.chunks[0]?.why;
  };

  it("shows why it reads nothing while its table is parked", async () => {
    expect(await whyWith(publishing())).toBeUndefined();
    expect(await whyWith({ ...publishing(), parked })).toMatch(/^the table is parked: /);
  });
});

describe("a topic", () => {
  const inventory = running("inventory", stateOf());

  it("that a connector publishes is shown; an unknown one is not found, with the nearest name", async () => {
    const { api } = service([inventory]);
    expect(await api.topic(TOPIC)).toMatchObject({ topic: TOPIC, flowing: [{ schemaId: 1 }], withheld: [] });
    await expect(api.topic("inventory.public.custmers")).rejects.toMatchObject({
      code: "not-found",
      next: `did you mean ${TOPIC}?`,
    });
  });

  it("is not reported as unknown while a connector that may publish it is starting", async () => {
    const { api } = service([inventory, running("orders", undefined)]);
    expect(await api.topic(TOPIC)).toMatchObject({ topic: TOPIC });
    await expect(api.topic("orders.public.orders")).rejects.toMatchObject({
      code: "starting",
      text: "connector orders has not read its state yet",
    });
  });
});

describe("amendments", () => {
  const withNick = stateOf({ ...publishing(), amendments: [added(NICK)] });
  const inventory = running("inventory", withNick);
  const away = running("orders", undefined, {
    status: { kind: "retrying", code: "postgres-down", message: "no server answers", next: "start it" },
  });

  it.each([TOPIC, "public.customers"])("of table %s are found", async (table) => {
    const { api } = service([inventory]);
    expect(await api.amendments({ table })).toMatchObject([{ id: idOf(NICK) }]);
  });

  it.each([
    ["public.custmers", "public.customers"],
    ["inventory.public.customerss", TOPIC],
  ])("of the unknown table %s are not found, with the nearest name", async (table, near) => {
    const { api } = service([inventory]);
    await expect(api.amendments({ table })).rejects.toMatchObject({ code: "not-found", next: `did you mean ${near}?` });
  });

  it.each<[what: string, ask: (api: Api) => Promise<unknown>]>([
    ["all of them", (api) => api.amendments({})],
    ["those of a table that any connector may capture", (api) => api.amendments({ table: "public.customers" })],
    ["those of an unknown table", (api) => api.amendments({ table: "public.items" })],
    ["an unknown one", (api) => api.amendment("orders.public.items.price")],
  ])("are refused with the reason while a connector has not read its state: %s", async (_, ask) => {
    const { api } = service([inventory, away]);
    await expect(ask(api)).rejects.toMatchObject({
      code: "starting",
      text: "connector orders has not read its state yet (retrying: no server answers)",
      next: "start it",
    });
  });

  it("of a known topic are found while another connector has not read its state", async () => {
    const { api } = service([inventory, away]);
    expect(await api.amendments({ table: TOPIC })).toMatchObject([{ id: idOf(NICK) }]);
    expect(await api.amendment(`${TOPIC}.nick`)).toMatchObject({ id: idOf(NICK) });
  });

  it("an unknown one is not found, with the nearest name", async () => {
    const { api } = service([inventory]);
    await expect(api.amendment(`${TOPIC}.nik`)).rejects.toMatchObject({
      code: "not-found",
      next: `did you mean ${TOPIC}.nick?`,
    });
  });

  const again = { ...NICK, attnum: ZIP.attnum };
  const released = (of: Column): Amendment => ({
    ...added(of),
    gate: {
      kind: "released",
      since: "0/1",
      time: WHEN.time,
      schemaId: schemaId(2),
      reason: { kind: "policy-observe" },
      wouldHaveWaitedFor: [],
    },
  });
  it.each<[what: string, amendments: readonly Amendment[], found: Column]>([
    ["that was released and is added again means the open amendment", [released(NICK), added(again)], again],
    ["that was released twice means the newest amendment", [released(NICK), released(again)], again],
  ])("a field's name %s", async (_, amendments, found) => {
    const { api } = service([running("inventory", stateOf({ ...publishing(), amendments }))]);
    expect(await api.amendment(`${TOPIC}.nick`)).toMatchObject({ id: idOf(found) });
  });
});

describe("what one consumer may keep", () => {
  const large = { ...contract, groups: ["x".repeat(900_000)] };
  const on = (number: number, more: Partial<Contract> = {}) => ({
    ...large,
    topic: `nowhere.public.t${number}`,
    ...more,
  });

  it("is limited, also for topics that no connector publishes, and another consumer is not affected", async () => {
    const { api, now } = service();
    const publish = async (from: number) => {
      for (let number = from; number < from + 20; number += 1) await api.publishContract(on(number));
    };
    await expect(publish(0)).rejects.toMatchObject({ code: "refused" });
    expect(await now()).toHaveLength(17);
    await expect(api.publishRollingOut(on(0, { fields: ["a"] }))).rejects.toMatchObject({ code: "refused" });
    await api.publishContract({ ...contract, consumer: "other" });
  });

  it("counts a contract that is published again once", async () => {
    const { api, now } = service();
    for (let time = 0; time < 40; time += 1) await api.publishContract(large);
    expect(await now()).toHaveLength(1);
  });

  it("is also limited in the number of groups that a contract names", async () => {
    const groups = Array.from({ length: 501 }, (_, number) => `g${number}`);
    await expect(service().api.publishContract({ ...contract, groups })).rejects.toMatchObject({ code: "refused" });
  });
});

describe("a command", () => {
  it("is refused while a thousand others wait for the connector, and names each amendment once", async () => {
    const state = stateOf({ ...publishing(), amendments: [added(NICK)] });
    const command = { kind: "release", ids: [idOf(NICK), idOf(NICK)], actor: "a@b" } as const;
    const one = running("shop", state);
    await expect(service([one], 1000).api.command(command, () => {})).rejects.toMatchObject({ code: "refused" });
    const { api, log } = service([one], 999);
    await api.command(command, () => {});
    expect(log.at(-1)?.[1]).toMatchObject({ command: { ids: [idOf(NICK)] } });
  });

  it("that waits shows what for", async () => {
    const outcome: Outcome = { kind: "pending", ids: [idOf(NICK)] };
    const state = stateOf({ ...publishing(), amendments: [added(NICK)] });
    const { api } = service([running("shop", { ...state, outcomes: new Map([["c1", outcome]]) })]);
    expect(await api.outcome("c1")).toEqual({ kind: "pending", waits: [{ id: idOf(NICK), why: "not judged yet" }] });
    expect(await api.outcome("c2")).toEqual({ kind: "pending" });
  });
});
