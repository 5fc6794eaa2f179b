import { known } from "../contract/known.ts";
import { describe, expect, it } from "vitest";
import type { Contract } from "../../src/contract/contract.ts";
import type { Rules } from "../../src/gate/state.ts";
import type { Notice } from "../../src/guard/outside.ts";
import { fitWatch } from "../../src/service/watch-fit.ts";
import { added, ID, NAME, NICK, publishing, REPLICA, RULES, stateOf, ZIP } from "../gate/customers.ts";

const FITS: Contract = { ...REPLICA, decodesWith: "writer", unknownFields: "accept", fields: ["id", "name"] };
const READS_ZIP: Contract = { ...FITS, fields: ["id", "zip"], owner: "<@U1>" };

/** What is told of a contract over several looks and restarts. */
function watched(rules: Rules = RULES) {
  const world = {
    table: publishing([ID, NAME]),
    contracts: new Map<string, Contract>(),
    told: new Map<string, string>(),
    notices: [] as Notice[],
    log: [] as string[],
    isKnown: true,
  };
  const start = () =>
    fitWatch({
      current: () => {
        const state = { ...stateOf(world.table), contracts: known(...world.contracts.values()) };
        return world.isKnown ? { rules, state } : undefined;
      },
      log: { info: (line) => void world.log.push(line), warn: (line) => void world.log.push(`warn: ${line}`) },
      alert: async (notice) => void world.notices.push(notice),
      memory: {
        read: async () => new Map(world.told),
        write: async (key, errors) => {
          if (errors === undefined) world.told.delete(key);
          else world.told.set(key, errors);
        },
      },
      now: () => Date.parse("2026-03-01T00:00:00Z"),
    });
  let look = start();
  return {
    world,
    look: async () => {
      await look();
      await new Promise((resolve) => setImmediate(resolve));
    },
    restart: () => void (look = start()),
  };
}

describe("a contract on the topic", () => {
  it("that fits what flows is not reported", async () => {
    const { world, look } = watched();
    world.contracts.set("a", FITS);
    await look();
    expect(world.notices).toEqual([]);
  });

  it("that does not fit alerts its owner once, also over restarts, and once when it fits again", async () => {
    const { world, look, restart } = watched();
    world.contracts.set("a", READS_ZIP);
    await look();
    await look();
    restart();
    await look();
    expect(world.notices).toMatchObject([
      {
        about: "contract",
        severity: "warn",
        owner: "<@U1>",
        what: expect.stringMatching(
          /^the contract of replica \(default\) does not fit the events that .* already has: after\.zip: /,
        ),
        next: "in the repository of replica: fieldgate check, then fieldgate publish --env default",
      },
    ]);
    expect(world.log).toEqual([expect.stringMatching(/^warn: the contract of replica/)]);
    world.contracts.set("a", FITS);
    await look();
    await look();
    expect(world.notices.slice(1)).toMatchObject([
      { about: "contract-fits", severity: "info", what: expect.stringContaining("fits") },
    ]);
    expect(world.told.size).toBe(0);
  });

  it("alerts again if something else is wrong with it, but not because it was published again", async () => {
    const { world, look } = watched();
    world.contracts.set("a", READS_ZIP);
    await look();
    world.contracts.set("a", { ...READS_ZIP });
    await look();
    expect(world.notices).toHaveLength(1);
    world.contracts.set("a", { ...READS_ZIP, fields: ["id", "street"] });
    await look();
    expect(world.notices).toHaveLength(2);
  });

  it("that no longer fits after a release is reported", async () => {
    const { world, look } = watched();
    world.table = publishing([ID, NAME, ZIP]);
    world.contracts.set("a", READS_ZIP);
    await look();
    expect(world.notices).toEqual([]);
    world.table = publishing([ID, NAME]);
    await look();
    expect(world.notices).toHaveLength(1);
  });

  it.each<[what: string, change: (world: ReturnType<typeof watched>["world"]) => void]>([
    ["of another environment", (world) => world.contracts.set("a", { ...READS_ZIP, environment: "test" })],
    ["of a topic that is not published here", (world) => world.contracts.set("a", { ...READS_ZIP, topic: "x.y.z" })],
    [
      "that names a field which is withheld",
      (world) => {
        world.table = { ...world.table, amendments: [added(NICK)] };
        world.contracts.set("a", { ...FITS, fields: ["id", "nick"] });
      },
    ],
    ["that cannot be read", (world) => world.contracts.set("a", { ...READS_ZIP, unreadable: true })],
  ])("%s is not reported", async (_, change) => {
    const { world, look } = watched();
    change(world);
    await look();
    expect(world.notices).toEqual([]);
  });

  it("that was withdrawn is forgotten, and reported again if it comes back", async () => {
    const { world, look } = watched();
    world.contracts.set("a", READS_ZIP);
    await look();
    world.contracts.delete("a");
    await look();
    expect([world.told.size, world.notices.length]).toEqual([0, 1]);
    world.contracts.set("a", READS_ZIP);
    await look();
    expect(world.notices).toHaveLength(2);
  });

  it("is not judged before the connector has read its state", async () => {
    const { world, look } = watched();
    world.isKnown = false;
    world.contracts.set("a", READS_ZIP);
    await look();
    expect(world.notices).toEqual([]);
  });
});
