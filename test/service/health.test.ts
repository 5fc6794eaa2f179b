import { describe, expect, it } from "vitest";
import { createWaits } from "../../src/guard/waits.ts";
import { healthOf } from "../../src/service/health.ts";
import { openingApi } from "../../src/service/opening-api.ts";
import type { RunningConnector } from "../../src/service/running.ts";
import { noteStatus } from "../../src/service/trouble.ts";
import { stateOf } from "../gate/customers.ts";
import { starting } from "./starting.ts";

const RETRYING = {
  kind: "retrying",
  code: "kafka-down",
  message: "no broker of 10.0.0.7 answers",
  next: "start it",
} as const;
const STOPPED = { kind: "stopped", code: "slot-lost", message: "the slot is gone", next: undefined } as const;

function connector(name: string, more: Partial<RunningConnector> = {}): RunningConnector {
  return { ...starting(createWaits(() => performance.now())), name, state: stateOf(), ...more };
}

/** Its attempts have been failing for this long. */
function failing(name: string, ms: number, more: Partial<RunningConnector> = {}): RunningConnector {
  const running = connector(name, { status: RETRYING, ...more });
  noteStatus(running, RETRYING, performance.now() - ms);
  return running;
}

function stopped(name: string, more: Partial<RunningConnector> = {}): RunningConnector {
  const running = connector(name, { status: STOPPED, ...more });
  noteStatus(running, STOPPED, performance.now() - 90_000);
  return running;
}

function waitingFor(name: string, ms: number): RunningConnector {
  const waits = createWaits(() => performance.now() - ms);
  waits.begin("Kafka", "to commit 3 records");
  return connector(name, { waits });
}

const health = (connectors: readonly RunningConnector[], isOpen = true) =>
  healthOf({ connectors, deployment: "main", version: "0", isOpen });

describe("the health", () => {
  it.each<[what: string, connectors: readonly RunningConnector[], status: string, ready: boolean]>([
    ["all work", [connector("a"), connector("b")], "ok", true],
    ["one has not read its state", [connector("a"), connector("b", { state: undefined })], "starting", false],
    ["one has just begun to retry", [failing("a", 100)], "ok", true],
    ["one retries", [connector("a"), failing("b", 6000)], "retrying", true],
    [
      "one retries and has not read its state",
      [connector("a"), failing("b", 6000, { state: undefined })],
      "retrying",
      true,
    ],
    ["one waits for some seconds", [waitingFor("a", 8000)], "ok", true],
    ["one has waited for a minute", [waitingFor("a", 61_000)], "stalled", true],
    ["one has stopped and another one retries", [stopped("a"), failing("b", 6000)], "stopped", true],
    ["one has stopped at its start", [stopped("a", { state: undefined })], "stopped", true],
  ])("if %s", (_, connectors, status, ready) => {
    expect(health(connectors)).toMatchObject({ status, ready });
  });

  it("names the connectors in trouble with the code and for how long, but no host", () => {
    const shown = health([connector("a"), failing("b", 6000), stopped("c")]);
    expect(shown.troubled).toEqual([
      { connector: "b", status: "retrying", code: "kafka-down", seconds: 6 },
      { connector: "c", status: "stopped", code: "slot-lost", seconds: 90 },
    ]);
    expect(JSON.stringify(shown)).not.toContain("10.0.0.7");
    expect(health([connector("a")])).not.toHaveProperty("troubled");
  });
});

describe("an API that waits for Kafka", () => {
  const given = { deployment: "main", version: "0" };

  it("shows the connectors and why they wait, and answers everything else with starting", async () => {
    const api = openingApi({ connectors: [failing("shop", 6000, { state: undefined })], ...given });
    expect(await api.health()).toMatchObject({ status: "retrying", ready: false });
    expect(await api.connectors()).toMatchObject([
      { status: "retrying", problem: { code: "kafka-down" }, trouble: { status: "retrying", next: "start it" } },
    ]);
    await expect(api.amendments({})).rejects.toMatchObject({ code: "starting", next: "start it" });
    await expect(api.contracts()).rejects.toMatchObject({ code: "starting" });
  });

  it("answers once it is open", async () => {
    const api = openingApi({ connectors: [connector("shop")], ...given });
    api.open({ ...api, contracts: async () => [] });
    expect(await api.contracts()).toEqual([]);
    expect(await api.health()).toMatchObject({ status: "ok", ready: true });
  });
});
