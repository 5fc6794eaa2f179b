import { expect, it } from "vitest";
import { startFakeSlack } from "../slack/fake-slack.ts";
import { until } from "../stack/until.ts";
import { captureTable } from "./world.ts";

const NAMES = Array.from({ length: 10 }, (_, at) => `c${at}`);

it("ten columns of one migration give one message; a restart neither repeats nor loses alerts", async () => {
  await using slack = await startFakeSlack();
  const titles = () => slack.payloads.map(({ text }) => text);
  await using world = await captureTable({ env: { FIELDGATE_SLACK_WEBHOOK_URL: slack.url } });
  await world.service.publishContract({
    consumer: "billing",
    owner: "<!subteam^S0BILLING> <!channel>",
    topic: world.topic,
    decodesWith: "writer",
    unknownFields: "reject",
    fields: ["id", "a"],
  });

  await world.database.query(`alter table t ${NAMES.map((name) => `add ${name} text`).join(", ")}`);
  await world.database.query("insert into t (id, a) values (2, 'two')");
  await until(() => titles().length > 0, "Slack has a message");
  const all = `🟠 Withheld: 10 fields of ${world.topic}`;
  expect(titles()).toEqual([all]);
  const shown = JSON.stringify(slack.payloads[0]?.blocks);
  expect(shown).toContain("For <!subteam^S0BILLING> &lt;!channel&gt;");
  expect(shown).toContain("*billing* (default)");

  // The service ends before the quiet time of the next column is over, so it sends the alert while ending.
  await world.database.query("alter table t add early text");
  await world.database.query("insert into t (id, a) values (3, 'three')");
  await world.service.amendment("early", "withheld");
  await until(
    async () => (await world.service.amendment("early", "withheld")).verdicts.length > 0,
    "the column is judged",
  );
  await world.stop();
  const early = `🟠 Withheld: ${world.topic}.early`;
  await world.start();

  // A repeated alert would be in this message or in an earlier one.
  await world.database.query("alter table t add late text");
  await world.database.query("insert into t (id, a) values (4, 'four')");
  await until(() => titles().length > 2, "Slack has an alert for the last column");
  expect(titles()).toEqual([all, early, `🟠 Withheld: ${world.topic}.late`]);
  expect(world.service.output()).not.toContain("SECRET");
});

it("a stop that recurs at every restart is alerted once", async () => {
  await using slack = await startFakeSlack();
  await using world = await captureTable({ env: { FIELDGATE_SLACK_WEBHOOK_URL: slack.url } });
  await world.stop();
  await world.database.query(
    "select pg_drop_replication_slot(slot_name) from pg_replication_slots where database = current_database()",
  );
  for (let restart = 0; restart < 2; restart++) expect(await startUntilEnd(world)).toMatch(/slot/);
  expect(slack.payloads.map(({ text }) => text)).toEqual([expect.stringMatching(/^🔴 Stopped: connector /)]);
});

/** What the service prints until it ends, which it may do while it is still starting. */
async function startUntilEnd(world: Awaited<ReturnType<typeof captureTable>>): Promise<string> {
  try {
    await world.start();
    await world.service.exited;
    return world.service.output();
  } catch (error) {
    return String(error);
  }
}
