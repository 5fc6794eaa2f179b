import { describe, expect, it } from "vitest";
import { reportFileChanges } from "../../../src/guard/control/report-file-changes.ts";
import { keysOfFile } from "../../../src/guard/start/file-changes.ts";
import { until } from "../../stack/until.ts";
import { sessionIn, worldOf } from "../session.ts";

/** A session whose file has changed in these keys since the last run; what it reported. */
async function reportedOf(unreported: Readonly<Record<string, string>>) {
  const world = worldOf({ settings: { "tombstones.on.delete": false } });
  const session = sessionIn(world);
  session.control.lastRun = { keys: keysOfFile(world.outside.settings), unreported };
  reportFileChanges(session);
  await until(() => Object.keys(session.control.lastRun?.unreported ?? {}).length === 0, "it is reported");
  const once = [...world.log];
  reportFileChanges(session);
  expect(world.log).toEqual(once);
  return once;
}

describe("the changes of the connector's file since the last run", () => {
  it("are reported once, with what they mean for consumers", async () => {
    const log = await reportedOf({ "tombstones.on.delete": "true", "snapshot.mode": "initial" });
    expect(log.filter((line) => line.startsWith("notice:"))).toHaveLength(2);
    expect(log.join("\n")).toContain("deletes are no longer followed by a tombstone");
    expect(log.join("\n")).toContain("snapshot.mode was initial and is now no_data");
  });

  it("are not reported if there are none", async () => {
    expect(await reportedOf({})).toEqual([]);
  });
});
