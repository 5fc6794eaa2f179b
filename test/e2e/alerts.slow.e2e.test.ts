import { expect, it } from "vitest";
import { startFakeSlack } from "../slack/fake-slack.ts";
import { until } from "../stack/until.ts";
import { captured } from "./world.ts";

const NAMES = Array.from({ length: 10 }, (_, at) => `c${at}`);

it("ten columns of one migration are one message; a restart repeats nothing and forgets nothing", async () => {
  await using slack = await startFakeSlack();
  const titles = () => slack.payloads.map(({ text }) => text);
  await using world = await captured({ env: { FIELDGATE_SLACK_WEBHOOK_URL: slack.url } });
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
  await until(() => titles().length > 0, "Slack is told");
  const all = `🟠 Withheld: 10 fields of ${world.topic}`;
  expect(titles()).toEqual([all]);
  const shown = JSON.stringify(slack.payloads[0]?.blocks);
  expect(shown).toContain("For <!subteam^S0BILLING> &lt;!channel&gt;");
  expect(shown).toContain("*billing* (default)");

  // The service ends before the next column's quiet time is over: it is told on the way out.
  await world.database.query("alter table t add early text");
  await world.database.query("insert into t (id, a) values (3, 'three')");
  await world.service.amendment("early", "withheld");
  await until(async () => (await world.service.amendment("early", "withheld")).verdicts.length > 0, "it is judged");
  await world.stop();
  const early = `🟠 Withheld: ${world.topic}.early`;
  await world.start();

  // What is told again would be in this message, or before it.
  await world.database.query("alter table t add late text");
  await world.database.query("insert into t (id, a) values (4, 'four')");
  await until(() => titles().length > 2, "Slack is told of the last column");
  expect(titles()).toEqual([all, early, `🟠 Withheld: ${world.topic}.late`]);
  expect(world.service.output()).not.toContain("SECRET");
});

it("a stop that comes back with every restart is told once", async () => {
  await using slack = await startFakeSlack();
  await using world = await captured({ env: { FIELDGATE_SLACK_WEBHOOK_URL: slack.url } });
  await world.stop();
  await world.database.query(
    "select pg_drop_replication_slot(slot_name) from pg_replication_slots where database = current_database()",
  );
  for (let restart = 0; restart < 2; restart++) await expect(world.start()).rejects.toThrow(/slot/);
  expect(slack.payloads.map(({ text }) => text)).toEqual([expect.stringMatching(/^🔴 Stopped: connector /)]);
});
