import { greeterView } from "./compare.ts";
import type { Narrator } from "./narrator.ts";
import { type Outcome, runToEnd } from "./program.ts";
import type { Repository } from "./repositories.ts";
import { CLI } from "./service.ts";
import type { Stage } from "./stage.ts";
import type { Seen, TopicReader } from "./topic.ts";

/** The stage, the narrator, and the topic as any consumer can read it. */
export interface Scene {
  readonly stage: Stage;
  readonly tell: Narrator;
  readonly reader: TopicReader;
}

export function shown(row: Seen["after"]): string {
  return JSON.stringify(row);
}

export function has(event: Seen, column: string): boolean {
  return event.after !== null && column in event.after;
}

/** Runs the real command line in a team's repository and shows its output. */
export async function fieldgate(
  { stage, tell }: Scene,
  { folder }: Repository,
  team: string,
  line: string,
): Promise<Outcome> {
  const { url, token } = stage.service;
  tell.type(`${team}$`, `npx fieldgate ${line}`);
  const env = { FIELDGATE_URL: url, FIELDGATE_TOKEN: token };
  const outcome = await runToEnd({ script: CLI, args: line.split(" "), cwd: folder, env });
  tell.show(`${outcome.text.trimEnd()}\n(exit ${outcome.code})`);
  return outcome;
}

/** Adds a text column to the table of the shop or of replica, shown as if typed into psql. */
export async function addColumn({ stage, tell }: Scene, who: "shop" | "replica", column: string): Promise<void> {
  const sql = `ALTER TABLE customers ADD COLUMN ${column} text`;
  tell.type(`${who}=#`, `${sql};`);
  await (who === "shop" ? stage.source : stage.replica.database).query(sql);
}

export async function showSlackMessage({ stage, tell }: Scene, title: string): Promise<void> {
  const message = await tell.sees(
    "an alert is sent to Slack",
    () => stage.slack.messages.find((text) => text.split("\n")[0]?.endsWith(title)),
    () => "Slack shows:",
  );
  tell.show(message);
}

/** Waits until both consumers have processed a customer that was added just now. */
export async function bothFollow(scene: Scene): Promise<void> {
  const { stage, tell } = scene;
  const [added] = await stage.source.query<{ id: number }>(
    "insert into customers (name, city) values ('Radia', 'Lisbon') returning id",
  );
  const id = added?.id ?? 0;
  // The shop may delete this customer again; then a later one shows the same.
  await tell.sees(`greeter and replica both have customer ${id} or a later one`, async () => {
    const [copied] = await stage.replica.database.query<{ id: number }>("select max(id) as id from customers");
    const greeted = (await greeterView(stage)).at(-1);
    return (copied?.id ?? 0) >= id && Number(greeted?.["id"] ?? 0) >= id;
  });
}
