import type { AmendmentView } from "../../src/http/api.ts";
import { compare, greeterView } from "./compare.ts";
import { type Narrator, StepFailed } from "./narrator.ts";
import { type Answer, runToEnd } from "./program.ts";
import type { Repository } from "./repositories.ts";
import { CLI } from "./service.ts";
import type { Stage } from "./stage.ts";
import type { Seen, TopicReader } from "./topic.ts";

/** The stage, who tells of it, and the topic as anybody can read it. */
export interface Scene {
  readonly stage: Stage;
  readonly tell: Narrator;
  readonly reader: TopicReader;
}

function shown(row: Seen["after"]): string {
  return JSON.stringify(row);
}

function has(event: Seen, column: string): boolean {
  return event.after !== null && column in event.after;
}

/** Runs the real command line in a team's repository and shows what it printed. */
async function fieldgate({ stage, tell }: Scene, { folder }: Repository, team: string, line: string): Promise<Answer> {
  const { url, token } = stage.service;
  tell.type(`${team}$`, `npx fieldgate ${line}`);
  const env = { FIELDGATE_URL: url, FIELDGATE_TOKEN: token };
  const answer = await runToEnd({ script: CLI, args: line.split(" "), cwd: folder, env });
  tell.show(`${answer.text.trimEnd()}\n(exit ${answer.code})`);
  return answer;
}

async function alter({ stage, tell }: Scene, column: string): Promise<void> {
  const sql = `ALTER TABLE customers ADD COLUMN ${column} text`;
  tell.type("shop=#", `${sql};`);
  await stage.source.query(sql);
}

async function alterReplica({ stage, tell }: Scene, column: string): Promise<void> {
  const sql = `ALTER TABLE customers ADD COLUMN ${column} text`;
  tell.type("replica=#", `${sql};`);
  await stage.replica.database.query(sql);
}

async function slackSays({ stage, tell }: Scene, title: string): Promise<void> {
  const message = await tell.sees(
    "Slack is told",
    () => stage.slack.messages.find((text) => text.startsWith(title)),
    () => "Slack is told:",
  );
  tell.show(message);
}

/** Both consumers have dealt with a customer that came after this moment. */
async function bothFollow(scene: Scene): Promise<void> {
  const { stage, tell } = scene;
  const [added] = await stage.source.query<{ id: number }>(
    "insert into customers (name, city) values ('Radia', 'Lisbon') returning id",
  );
  const id = added?.id ?? 0;
  // The shop may delete the customer again, which is followed just as well: then look at a later one.
  await tell.sees(`greeter and replica both have customer ${id} or a later one`, async () => {
    const [copied] = await stage.replica.database.query<{ id: number }>("select max(id) as id from customers");
    const greeted = (await greeterView(stage)).at(-1);
    return (copied?.id ?? 0) >= id && Number(greeted?.["id"] ?? 0) >= id;
  });
}

export async function prologue(scene: Omit<Scene, "reader">, open: () => Promise<TopicReader>): Promise<Scene> {
  const { stage, tell } = scene;
  const { service, topic, running } = stage;
  running.set("service", await service.start("observe"));
  await tell.sees(
    "Fieldgate publishes the table customers",
    async () => (await service.connector()).tables.find((one) => one.topic === topic),
    (one) => `Fieldgate publishes ${one.table} to ${one.topic}, schema id ${one.schemaId}: ${one.fields.join(", ")}`,
  );
  running.set("greeter", await stage.greeter.start());
  running.set("replica", await stage.replica.start());
  const reader = await open();
  const event = await tell.sees("each change is an event:", () => reader.events.find(({ op }) => op === "u"));
  tell.show(`op ${event.op}, after ${shown(event.after)}`);
  const full = { ...scene, reader };
  await bothFollow(full);
  return full;
}

/** Policy observe: what happens without a gate. */
export async function actObserve(scene: Scene): Promise<void> {
  const { stage, tell, reader } = scene;
  const { running } = stage;
  tell.act("Policy observe: a new column flows at once, as it does without Fieldgate");
  tell.step("The database's owner adds a column; the application's next release fills it.");
  // From here on replica is expected to die.
  const replica = running.get("replica");
  running.delete("replica");
  await alter(scene, "nickname");
  const event = await tell.sees(
    "nickname is in the events",
    () => reader.events.find((one) => one.after?.["nickname"] != null),
    () => "its values are in the events:",
  );
  tell.show(`op ${event.op}, after ${shown(event.after)}`);

  tell.step("greeter skips what it does not ask for. replica makes SQL of every key it finds.");
  await tell.sees(
    "replica has died",
    () => replica?.ended(),
    (how) => `replica has died: ${how}, its last words:`,
  );
  const words = (await replica?.output())?.trimEnd() ?? "";
  tell.show(words);
  tell.holds(
    /column "nickname" of relation "customers" does not exist/.test(words),
    'PostgreSQL told it that column "nickname" does not exist',
  );
  tell.holds(running.get("greeter")?.ended() === undefined, "greeter lives");

  tell.step("Fieldgate has told of it. It knew of no contract, and names the groups it could not ask.");
  await slackSays(scene, `Released: ${stage.topic}.nickname`);
}

/** Policy contracts: between the two acts, and what both teams say. */
export async function actContracts(scene: Scene): Promise<void> {
  const { stage, tell } = scene;
  const { running, service, replica, greeter } = stage;
  tell.act("Policy contracts: a new column waits for its readers");
  tell.step("replica's team repairs its table and starts it again.");
  await alterReplica(scene, "nickname");
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
  await alter(scene, "loyalty");
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
  await alterReplica(scene, "loyalty");
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
