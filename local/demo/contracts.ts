import type { AmendmentView } from "../../src/api/amendment.ts";
import { compare } from "./compare.ts";
import { StepFailed } from "./narrator.ts";
import { type Scene, addColumn, bothFollow, fieldgate, has, shown, slackSays } from "./scene.ts";

/** Policy contracts: between the two acts, and what both teams say. */
export async function actContracts(scene: Scene): Promise<void> {
  const { stage, tell } = scene;
  const { running, service, replica, greeter } = stage;
  tell.act("Policy contracts: a new column waits for its readers");
  tell.step("replica's team repairs its table and starts it again.");
  await addColumn(scene, "replica", "nickname");
  running.set("replica", await replica.start());
  await bothFollow(scene);

  tell.step("The operator sets the policy in connectors/shop.json and restarts Fieldgate.");
  const before = running.get("service");
  running.delete("service");
  await before?.stop();
  running.set("service", await service.start("contracts"));
  tell.show('"fieldgate.release.policy": "contracts"');
  await tell.sees("Fieldgate goes on where it stopped", async () => (await service.connector()).status === "streaming");

  tell.step("Each team says in its own repository what it reads and how, and publishes that when it deploys.");
  tell.type("replica$", "cat fieldgate.yaml");
  tell.show(await replica.repository.contract());
  const first = await fieldgate(scene, replica.repository, "replica", "publish --env production");
  const second = await fieldgate(scene, greeter.repository, "greeter", "publish --env production");
  tell.holds(first.code === 0 && second.code === 0, "both contracts are published");

  await withheld(scene);
  await ready(scene);
  await released(scene);
}

/** The column is added and filled, and stays out. */
async function withheld(scene: Scene): Promise<void> {
  const { stage, tell, reader } = scene;
  tell.step("The owner adds another column, and fills it for the customers there are.");
  await addColumn(scene, "shop", "loyalty");
  const sql = "UPDATE customers SET loyalty = 'bronze' WHERE loyalty IS NULL AND id % 2 = 0";
  tell.type("shop=#", `${sql};`);
  await stage.source.query(sql);
  const amendment = await tell.sees(
    "loyalty is withheld, and Fieldgate says for whom",
    async () => {
      const found = await stage.service.amendment("loyalty");
      if (found?.gate.kind === "released") throw new StepFailed(`it was let in: ${found.gate.why}`);
      return found?.verdicts.some(({ verdict }) => verdict === "not-ready") ? found : undefined;
    },
    (found) => `loyalty is withheld: ${found.gate.why}`,
  );
  tell.holds(namesOnlyReplica(amendment), "Fieldgate names replica, and nobody else");
  await fieldgate(scene, stage.replica.repository, "replica", `amendments show ${stage.topic}.loyalty`);
  await slackSays(scene, `Withheld: ${stage.topic}.loyalty`);

  tell.step("The shop goes on writing. Rows flow without the column, and both consumers live.");
  const from = reader.events.length;
  await tell.sees(
    "changes flow without the column",
    async () => {
      const events = reader.events.slice(from);
      if (reader.events.some((event) => has(event, "loyalty"))) throw new StepFailed("loyalty is in an event");
      return events.length >= 60 ? events : undefined;
    },
    (events) => `${events.length} more changes have come, none with the field loyalty`,
  );
  const [kept] = await stage.source.query<{ count: number }>(
    "select count(*)::int as count from customers where loyalty is not null",
  );
  tell.holds((kept?.count ?? 0) > 50, `meanwhile ${kept?.count} customers have a loyalty in PostgreSQL`);
  await bothFollow(scene);
  tell.holds((await stage.trouble()) === undefined, "greeter and replica live");
}

function namesOnlyReplica({ verdicts }: AmendmentView): boolean {
  const waiting = verdicts.filter(({ verdict }) => verdict !== "ready").map(({ consumer }) => consumer);
  return verdicts.length === 2 && waiting.join() === "replica";
}

/** replica's team does its part. */
async function ready(scene: Scene): Promise<void> {
  const { stage, tell, reader } = scene;
  const { repository } = stage.replica;
  tell.step("replica's team asks before it changes anything, migrates its table, and names the column.");
  const before = await fieldgate(scene, repository, "replica", "check --fail-on withheld");
  tell.holds(before.code === 100, "check fails: replica is not ready for loyalty");
  await addColumn(scene, "replica", "loyalty");
  await repository.addField("loyalty");
  tell.type("replica$", "grep fields: fieldgate.yaml");
  tell.show((await repository.contract()).split("\n").find((line) => line.includes(" fields:")) ?? "");
  const after = await fieldgate(scene, repository, "replica", "check --fail-on withheld");
  tell.holds(after.code === 0, "check passes");
  tell.holds(!reader.events.some((event) => has(event, "loyalty")), "until now no event has had the field loyalty");
}

async function versionsOf({ stage }: Scene): Promise<readonly number[]> {
  const response = await fetch(`${stage.stack.registry.url}/subjects/${stage.topic}-value/versions`);
  return (await response.json()) as number[]; // Confluent's API, "GET /subjects/{subject}/versions"
}

/** The last contract opens the gate. */
async function released(scene: Scene): Promise<void> {
  const { stage, tell, reader } = scene;
  const { service, replica, shop } = stage;
  tell.step("The last step of its deploy publishes the contract. Nobody has to tell Fieldgate anything else.");
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
    `the registry has one version more of ${stage.topic}-value: ${now.join(", ")}`,
  );
  await slackSays(scene, `Released: ${stage.topic}.loyalty`);

  tell.step("What was written while the column was withheld is published again, beside the shop's changes.");
  await tell.sees(
    "the backfill is done",
    async () => {
      const backfill = (await service.amendment(done.field))?.backfill;
      return backfill?.state === "done" && backfill.rows > 0 ? backfill : undefined;
    },
    (backfill) => `the backfill is done: ${backfill.rows} rows`,
  );
  const again = await tell.sees("they are in the topic, with op r:", () =>
    reader.events.find((event) => event.op === "r" && event.after?.["loyalty"] != null),
  );
  tell.show(`op ${again.op}, after ${shown(again.after)}`);

  tell.step("The shop pauses for a moment, so that source and copies can be compared, row by row.");
  await shop.pause();
  await tell.sees(
    "both consumers hold every value",
    async () => {
      const seen = await compare(stage, "loyalty");
      const [first] = seen.differences;
      if (first !== undefined) throw new Error(`${seen.differences.length} differ: ${first}`);
      return seen;
    },
    ({ rows, filled }) =>
      `${rows} customers, ${filled} with a loyalty: replica equals the source in every column, greeter in all it reads`,
  );
  tell.holds((await stage.trouble()) === undefined, "greeter and replica live");
  shop.resume();
}
