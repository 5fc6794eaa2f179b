import { expect, it } from "vitest";
import type { GroupsSeen } from "../../../src/gate/evidence/evidence.ts";
import type { Rules } from "../../../src/gate/state.ts";
import { startGroupPoller } from "../../../src/service/group-poller.ts";
import { apply, takeInputs } from "../../../src/guard/control/apply.ts";
import { post, type Session } from "../../../src/guard/session.ts";
import { schemaId } from "../../../src/table/shape.ts";
import { fits, ID, idOf, NAME, NICK, RULES, seen, stateOf, tableIn, tableOf, TOPIC } from "../../gate/customers.ts";
import { until } from "../../stack/until.ts";

/** What happens while the registry takes the schema. */
type Meanwhile = (kafka: { groups: string[] }) => void;

/** A column added under a policy where nobody reads; the gate after its registration was dealt with. */
async function gateAfterFlip(policy: Rules["fieldgate.release.policy"], meanwhile: Meanwhile = () => {}) {
  const kafka = { groups: [] as string[] };
  const poll = (): Promise<GroupsSeen> => {
    const groups = kafka.groups.map((group) => ({ group, members: 1, offsets: new Map(), readers: new Map() }));
    return Promise.resolve({ kind: "seen", byTopic: new Map([[TOPIC, groups]]) });
  };
  let clock = 0;
  // No look comes by itself in the test's time but the first.
  await using groups = startGroupPoller({ poll, everyMs: 3_600_000, now: () => (clock += 1) });
  const ended = new AbortController();
  const session = sessionOf(policy, groups, ended.signal, () => meanwhile(kafka));
  using _looking = groups.listen(
    () => [TOPIC],
    (last) => post(session, { input: { kind: "groups", look: last } }),
  );
  await until(() => session.inbox.length > 0, "the first look");
  takeInputs(session);
  apply(session, seen([ID, NAME, NICK]));
  apply(session, fits(session.state, idOf(NICK)));
  expect(session.work.registering.size).toBe(1);
  await until(() => session.inbox.some(({ input }) => input.kind === "registered"), "the schema is registered");
  takeInputs(session);
  ended.abort();
  return tableIn(session.state).amendments[0]?.gate;
}

/** As far as a registration touches it. */
function sessionOf(
  policy: Rules["fieldgate.release.policy"],
  groups: Session["outside"]["groups"],
  signal: AbortSignal,
  registers: () => void,
): Session {
  const registry = {
    register: () => {
      registers();
      return Promise.resolve({ kind: "registered", id: schemaId(7) });
    },
  };
  const session = {
    outside: {
      settings: { ...RULES, "fieldgate.release.policy": policy },
      registry,
      desk: { readContractsToEnd: () => Promise.resolve() },
      groups,
      now: () => 0n,
    },
    source: { table: () => Promise.resolve({ table: tableOf([ID, NAME, NICK]) }) },
    signal,
    wake: { wake: () => {} },
    state: stateOf(),
    position: { endLsn: 1n },
    inbox: [],
    relations: new Map(),
    toTell: new Set(),
    // The first question is answered by the test.
    work: { judging: new Set([idOf(NICK)]), registering: new Map(), silent: false, blind: false },
  };
  return session as unknown as Session; // the rest of a session is not asked for
}

const comes: Meanwhile = (kafka) => kafka.groups.push("sink");

it("under strict, a group that comes between the last look and the flip keeps the field withheld", async () => {
  expect(await gateAfterFlip("strict", comes)).toMatchObject({
    kind: "withheld",
    why: "no contract names the live groups sink",
    unnamed: { kind: "known", groups: ["sink"] },
  });
});

it("under strict, a field nobody unnamed reads flows after the last look", async () => {
  expect(await gateAfterFlip("strict")).toMatchObject({ kind: "released" });
});

it("under contracts such a group does not count", async () => {
  expect(await gateAfterFlip("contracts", comes)).toMatchObject({ kind: "released" });
});
