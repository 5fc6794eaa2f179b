import { expect, it } from "vitest";
import { GuardError } from "../../../src/errors.ts";
import type { Registration } from "../../../src/registry/client.ts";
import { schemaId } from "../../../src/table/shape.ts";
import { lsn } from "../../../src/wal/lsn.ts";
import { ID, idOf, NAME, NICK, publishing, stateOf, tableIn, tableOf } from "../../gate/customers.ts";
import { until } from "../../stack/until.ts";
import { events, isReached, running } from "../running.ts";
import { insert, relation, transaction } from "../wal.ts";

const ALL = tableOf([ID, NAME, NICK]);
const SNAPSHOT = { xmin: 1_000_000n, xmax: 1_000_000n, inProgress: new Set<bigint>() };

it.each<[who: string, register: () => Promise<Registration>]>([
  ["Fieldgate does not register", async () => ({ kind: "absent" })],
  ["Fieldgate may not register", () => Promise.reject(new GuardError("registry-refused", "status 403"))],
  ["the registry answers only questions", () => Promise.reject(new GuardError("registry-down", "status 500"))],
])("%s: a column waits for its schema, and people are alerted once", async (_, register) => {
  const asked: string[] = [];
  let isThere = false;
  await using loop = running(
    {
      source: { table: async () => ({ table: ALL, snapshot: SNAPSHOT, end: lsn(1n) }) },
      registry: {
        async register(_subject, text) {
          asked.push(text);
          return isThere ? { kind: "registered", id: schemaId(7) } : register();
        },
        schemaById: async () => asked.at(-1),
      },
    },
    stateOf(publishing([ID, NAME])),
  );
  const { control } = loop.session;
  const amendment = () => tableIn(control.state).amendments[0];
  loop.world.feed(...transaction(200n, relation([ID, NAME, NICK]), insert(150n, "1", "Ann", "Annie")));
  await until(() => isReached(loop.world, "0/C8"), "the row is published without it");
  await until(() => asked.length > 3, "the registry is asked again");
  expect(amendment()?.gate).toMatchObject({ kind: "withheld", reason: { kind: "registration-awaited" } });
  expect(String(events(loop.world)[0]?.value)).not.toContain("Annie");
  expect(loop.world.alerted.filter((id) => id === idOf(NICK))).toHaveLength(1);
  isThere = true;
  await until(() => amendment()?.gate.kind === "released", "it flows");
});

it("a column that the level refused flows by itself once somebody has lowered the level", async () => {
  let isLowered = false;
  let checks = 0;
  await using loop = running(
    {
      source: { table: async () => ({ table: ALL, snapshot: SNAPSHOT, end: lsn(1n) }) },
      registry: {
        async check() {
          checks += 1;
          return isLowered ? { kind: "compatible" } : { kind: "incompatible", messages: ["READER_FIELD_MISSING"] };
        },
      },
    },
    stateOf(publishing([ID, NAME])),
  );
  const { control } = loop.session;
  const amendment = () => tableIn(control.state).amendments[0];
  loop.world.feed(...transaction(200n, relation([ID, NAME, NICK]), insert(150n, "1", "Ann", "Annie")));
  await until(() => isReached(loop.world, "0/C8"), "the row is published without it");
  await until(() => checks > 5, "the registry is asked again");
  expect(amendment()?.gate).toMatchObject({ kind: "withheld", reason: { kind: "registry-refused" } });
  expect(loop.world.alerted.filter((id) => id === idOf(NICK))).toHaveLength(1);
  isLowered = true;
  await until(() => amendment()?.gate.kind === "released", "it flows");
});
