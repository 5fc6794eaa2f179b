import type { AmendmentView } from "../../src/api/amendment.ts";
import { compare } from "./compare.ts";
import { StepFailed } from "./narrator.ts";
import { type Scene, addColumn, bothFollow, fieldgate, has, shown, showSlackMessage } from "./scene.ts";

/** Act 2: the policy contracts withholds a column until both teams are ready for it. */
export async function actContracts(scene: Scene): Promise<void> {
  const { stage, tell } = scene;
  const { running, service, replica, greeter } = stage;
  tell.act("Policy contracts: a new column waits for its readers");
  tell.step("replica's team adds the missing column to its table and restarts replica.");
  await addColumn(scene, "replica", "nickname");
  running.set("replica", await replica.start());
  await bothFollow(scene);

  tell.step("The operator sets the policy in connectors/shop.json and restarts Fieldgate.");
  const before = running.get("service");
  running.delete("service");
  await before?.stop();
  running.set("service", await service.start("contracts"));
  tell.show('"fieldgate.release.policy": "contracts"');
  await tell.sees("Fieldgate resumes where it stopped", async () => (await service.connector()).status === "streaming");

  tell.step("Each team describes in its own repository what it reads and how, and publishes that at each deploy.");
  tell.type("replica$", "cat fieldgate.yaml");
  tell.show(await replica.repository.contract());
  const first = await fieldgate(scene, replica.repository, "replica", "publish --env production");
  const second = await fieldgate(scene, greeter.repository, "greeter", "publish --env production");
  tell.holds(first.code === 0 && second.code === 0, "both contracts are published");

  await withheld(scene);
  await ready(scene);
  await released(scene);
}

/** A column is added and filled, and stays out of the events. */
async function withheld(scene: Scene): Promise<void> {
  const { stage, tell, reader } = scene;
  tell.step("The owner adds another column and fills it for half of the existing customers.");
  await addColumn(scene, "shop", "loyalty");
  const sql = "UPDATE customers SET loyalty = 'bronze' WHERE loyalty IS NULL AND id % 2 = 0";
  tell.type("shop=#", `${sql};`);
  await stage.source.query(sql);
  const amendment = await tell.sees(
    "loyalty is withheld, and Fieldgate names the consumer that is not ready",
    async () => {
      const found = await stage.service.amendment("loyalty");
      if (found?.gate.kind === "released") throw new StepFailed(`it was released: ${found.gate.why}`);
      return found?.verdicts.some(({ verdict }) => verdict === "not-ready") ? found : undefined;
    },
    (found) => `loyalty is withheld: ${found.gate.why}`,
  );
  tell.holds(namesOnlyReplica(amendment), "Fieldgate names replica and no other consumer");
  await fieldgate(scene, stage.replica.repository, "replica", `amendments show ${stage.topic}.loyalty`);
  await showSlackMessage(scene, `Withheld: ${stage.topic}.loyalty`);

  tell.step("The shop continues to write. Rows are published without the column, and both consumers keep running.");
  const from = reader.events.length;
  await tell.sees(
    "changes are published without the column",
    async () => {
      const events = reader.events.slice(from);
      if (reader.events.some((event) => has(event, "loyalty"))) throw new StepFailed("loyalty is in an event");
      return events.length >= 60 ? events : undefined;
    },
    (events) => `${events.length} more changes have been published, none with the field loyalty`,
  );
  const [kept] = await stage.source.query<{ count: number }>(
    "select count(*)::int as count from customers where loyalty is not null",
  );
  tell.holds((kept?.count ?? 0) > 50, `in PostgreSQL, ${kept?.count} customers have a loyalty by now`);
  await bothFollow(scene);
  tell.holds((await stage.trouble()) === undefined, "greeter and replica are running");
}

function namesOnlyReplica({ verdicts }: AmendmentView): boolean {
  const waiting = verdicts.filter(({ verdict }) => verdict !== "ready").map(({ consumer }) => consumer);
  return verdicts.length === 2 && waiting.join() === "replica";
}

/** replica's team prepares for the column. */
async function ready(scene: Scene): Promise<void> {
  const { stage, tell, reader } = scene;
  const { repository } = stage.replica;
  tell.step("replica's team checks first, then migrates its table and adds the column to its contract.");
  const before = await fieldgate(scene, repository, "replica", "check --fail-on withheld");
  tell.holds(before.code === 100, "check fails: replica is not ready for loyalty");
  await addColumn(scene, "replica", "loyalty");
  await repository.addField("loyalty");
  tell.type("replica$", "grep fields: fieldgate.yaml");
  tell.show((await repository.contract()).split("\n").find((line) => line.includes(" fields:")) ?? "");
  const after = await fieldgate(scene, repository, "replica", "check --fail-on withheld");
  tell.holds(after.code === 0, "check passes");
  tell.holds(!reader.events.some((event) => has(event, "loyalty")), "so far, no event has had the field loyalty");
}

async function versionsOf({ stage }: Scene): Promise<readonly number[]> {
  const response = await fetch(`${stage.stack.registry.url}/subjects/${stage.topic}-value/versions`);
  return (await response.json()) as number[]; // Confluent's API, "GET /subjects/{subject}/versions"
}

/** The last missing contract releases the column. */
async function released(scene: Scene): Promise<void> {
  const { stage, tell, reader } = scene;
  const { service, replica, shop } = stage;
  tell.step("The last step of the deploy publishes the contract. Nothing else is needed to release the column.");
  const versions = await versionsOf(scene);
  const published = await fieldgate(scene, replica.repository, "replica", "publish --env production");
  tell.holds(published.code === 0, "the contract is published");
  const done = await tell.sees(
    "loyalty is released",
    async () => {
      const found = await service.amendment("loyalty");
      return found?.gate.kind === "released" ? found : undefined;
    },
    (found) => `loyalty is released: ${found.gate.why}`,
  );
  const now = await versionsOf(scene);
  tell.holds(
    now.length === versions.length + 1,
    `the registry has one more version of ${stage.topic}-value: ${now.join(", ")}`,
  );
  await showSlackMessage(scene, `Released: ${stage.topic}.loyalty`);

  tell.step("Rows written while the column was withheld are published again, while the shop continues to write.");
  await tell.sees(
    "the backfill has finished",
    async () => {
      const backfill = (await service.amendment(done.field))?.backfill;
      return backfill?.state === "done" && backfill.rows > 0 ? backfill : undefined;
    },
    (backfill) => `the backfill has finished: ${backfill.rows} rows`,
  );
  const again = await tell.sees("its events are in the topic, with op r:", () =>
    reader.events.find((event) => event.op === "r" && event.after?.["loyalty"] != null),
  );
  tell.show(`op ${again.op}, after ${shown(again.after)}`);

  tell.step("The shop pauses for a moment, so that the source and the copies can be compared row by row.");
  await shop.pause();
  await tell.sees(
    "both consumers have every value",
    async () => {
      const seen = await compare(stage, "loyalty");
      const [first] = seen.differences;
      if (first !== undefined) throw new Error(`${seen.differences.length} differ: ${first}`);
      return seen;
    },
    ({ rows, filled }) =>
      `${rows} customers, ${filled} with a loyalty: replica matches the source in every column, greeter in every column that it reads`,
  );
  tell.holds((await stage.trouble()) === undefined, "greeter and replica are running");
  shop.resume();
}
