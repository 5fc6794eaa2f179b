import { expect, it } from "vitest";
import type { GroupsSeen } from "../../../src/gate/evidence/evidence.ts";
import type { Rules } from "../../../src/gate/state.ts";
import { apply, takeInputs } from "../../../src/guard/control/apply.ts";
import { post } from "../../../src/guard/session.ts";
import { startGroupPoller } from "../../../src/service/group-poller.ts";
import { schemaId } from "../../../src/table/shape.ts";
import { lsn } from "../../../src/wal/lsn.ts";
import { fits, ID, idOf, NAME, NICK, seen, tableIn, tableOf, TOPIC } from "../../gate/customers.ts";
import { until } from "../../stack/until.ts";
import { sessionIn, worldOf } from "../session.ts";

/** What happens while the registry accepts the schema. */
type Meanwhile = (kafka: { groups: string[] }) => void;

/** Adds a column under a policy without readers. Returns its gate after its registration was applied. */
async function gateAfterFlip(policy: Rules["fieldgate.release.policy"], meanwhile: Meanwhile = () => {}) {
  const kafka = { groups: [] as string[] };
  const poll = (): Promise<GroupsSeen> => {
    const groups = kafka.groups.map((group) => ({ group, members: 1, offsets: new Map(), readers: new Map() }));
    return Promise.resolve({ kind: "seen", byTopic: new Map([[TOPIC, groups]]) });
  };
  let clock = 0;
  // During the test only the first poll starts on its own.
  await using groups = startGroupPoller({ poll, everyMs: 3_600_000, now: () => (clock += 1) });
  const world = worldOf({
    rules: { "fieldgate.release.policy": policy },
    groups,
    registry: {
      async register() {
        meanwhile(kafka);
        return { kind: "registered", id: schemaId(7) };
      },
    },
    source: {
      table: async () => ({
        table: tableOf([ID, NAME, NICK]),
        snapshot: { xmin: 9n, xmax: 9n, inProgress: new Set() },
        end: lsn(1n),
      }),
    },
  });
  const session = sessionIn(world);
  const { control } = session;
  using _polling = groups.listen(
    () => [TOPIC],
    (last) => post(session, { input: { kind: "groups", poll: last } }),
  );
  await until(() => control.inbox.length > 0, "the first poll");
  takeInputs(session);
  // The test answers the first question itself.
  control.work.judging.add(idOf(NICK));
  apply(session, seen([ID, NAME, NICK]));
  apply(session, fits(control.state, idOf(NICK)));
  expect(control.work.registering.size).toBe(1);
  await until(() => control.inbox.some(({ input }) => input.kind === "registered"), "the schema is registered");
  takeInputs(session);
  return tableIn(control.state).amendments[0]?.gate;
}

const appears: Meanwhile = (kafka) => kafka.groups.push("sink");

it("under strict, a group that appears between the last poll and the flip keeps the field withheld", async () => {
  expect(await gateAfterFlip("strict", appears)).toMatchObject({
    kind: "withheld",
    reason: { kind: "not-ready", consumers: [], unnamed: { kind: "known", groups: ["sink"] } },
  });
});

it("under strict, a field flows after the last poll if every group is named by a contract", async () => {
  expect(await gateAfterFlip("strict")).toMatchObject({ kind: "released" });
});

it("under contracts, such a group does not count", async () => {
  expect(await gateAfterFlip("contracts", appears)).toMatchObject({ kind: "released" });
});
