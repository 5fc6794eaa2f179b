import { describe, expect, it } from "vitest";

import { createApi } from "../../src/service/api.ts";
import type { Contract } from "../../src/contract/contract.ts";
import type { ControlTopics } from "../../src/service/control-topics.ts";
import { createWaits } from "../../src/guard/waits.ts";
import type { RunningConnector } from "../../src/service/running.ts";
import { stateOf, TOPIC } from "../gate/customers.ts";
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
function service(connectors: readonly RunningConnector[] = []) {
  const log: (readonly [string, Contract | undefined])[] = [];
  let contracts: ReadonlyMap<string, Contract> = new Map();
  const readContractsToEnd = async () => {
    const next = new Map<string, Contract>();
    for (const [key, value] of log) {
      if (value === undefined) next.delete(key);
      else next.set(key, value);
    }
    contracts = next;
  };
  const controlTopics: ControlTopics = {
    topics: { contracts: "contracts", commands: "commands" },
    of: () => {
      throw new Error("not used");
    },
    contracts: () => contracts,
    readContractsToEnd,
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
    return [...contracts.values()].map(({ fields }) => fields?.join() ?? "all");
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
    expect(await now()).toEqual(["x", "y", "z"]);
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

describe("a topic", () => {
  const running = (name: string, state: RunningConnector["state"]): RunningConnector => {
    const jobs = { starts: new Map(), update: () => {} };
    const publication = `fieldgate_${name}`;
    return {
      name,
      mode: "guard",
      status: { kind: "starting" },
      state,
      publication,
      notCaptured: [],
      warnings: [],
      jobs,
      waits: createWaits(() => 0),
      causes: [],
      last: undefined,
    };
  };
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
      code: "refused",
      text: "connector orders has not read its state yet",
    });
  });
});
