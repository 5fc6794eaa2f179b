import { expect, it } from "vitest";
import { newJob } from "../../../src/chunk/job.ts";
import { post } from "../../../src/guard/session.ts";
import type { ChunkRead } from "../../../src/postgres/chunk.ts";
import { lsn } from "../../../src/wal/lsn.ts";
import { tupleData } from "../../event/row.ts";
import { column, ID, NAME, publishing, release, stateOf, tableOf, TOPIC } from "../../gate/customers.ts";
import { until } from "../../stack/until.ts";
import { events, running } from "../running.ts";
import { mark, transaction } from "../wal.ts";

const JOB = `snapshot/${TOPIC}`;
/** The events require a name, which the table no longer does. */
const REQUIRED = column(2, "name", "text", { notNull: true });
const READ: ChunkRead = {
  kind: "rows",
  snapshot: { xmin: 1_000_000n, xmax: 1_000_000n, inProgress: new Set<bigint>() },
  table: tableOf([ID, NAME]),
  end: lsn(1n),
  rows: [tupleData(["1", "Ann"]), tupleData(["2", null])],
  last: ["2"],
  order: "1:23",
  done: true,
  scanned: 2,
};

it.each(["park", "stop"] as const)(
  "under fieldgate.on.unfit=%s a snapshot with a row that does not fit waits for the release that it names, and is then published",
  async (unfit) => {
    const state = { ...stateOf(publishing([ID, REQUIRED])), jobs: new Map([[JOB, newJob(JOB, TOPIC, "snapshot")]]) };
    const settings = { "fieldgate.on.unfit": unfit };
    const rules = { "fieldgate.release.policy": "manual" } as const;
    await using loop = running({ settings, rules, source: { chunk: async () => READ } }, state);
    const { world, session } = loop;
    let closed = 0;
    /** Lets the stream reach the marks of every chunk that was read. */
    const closeWindows = () => {
      const nonces = world.marks.filter((one) => one.startsWith("high:")).map((one) => one.slice("high:".length));
      for (const nonce of nonces.slice(closed)) {
        const end = BigInt(200 + 20 * (closed += 1));
        world.feed(...transaction(end, mark(`low:${nonce}`)), ...transaction(end + 10n, mark(`high:${nonce}`)));
      }
    };
    const next = () => {
      const stopped = world.statuses.at(-1);
      return unfit === "park" ? session.batch.committed.jobs.get(JOB)?.stuck?.next : nextOf(stopped);
    };
    await until(() => {
      closeWindows();
      return next() !== undefined;
    }, "it waits");
    expect(next()).toContain(`fieldgate release ${TOPIC}/2`);
    post(session, { input: release([`${TOPIC}/2`]), nextCommand: 1n });
    await until(() => session.batch.committed.outcomes.get("c1")?.kind === "done", "the command is carried out");
    await until(() => {
      closeWindows();
      return session.batch.committed.jobs.get(JOB)?.state === "done";
    }, "the snapshot is done");
    expect(new Set(events(world).map(({ key }) => Number(key?.at(-1)) / 2))).toEqual(new Set([1, 2]));
    expect(session.batch.committed.jobs.get(JOB)?.stuck).toBeUndefined();
  },
);

function nextOf(status: ReturnType<typeof running>["world"]["statuses"][number] | undefined): string | undefined {
  return status?.kind === "stopped" ? status.next : undefined;
}
