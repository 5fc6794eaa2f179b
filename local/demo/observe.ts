import { type Scene, addColumn, bothFollow, shown, showSlackMessage } from "./scene.ts";
import type { TopicReader } from "./topic.ts";

/** Before the first act: starts everything and shows that it works. */
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
  const event = await tell.sees("each change becomes an event:", () => reader.events.find(({ op }) => op === "u"));
  tell.show(`op ${event.op}, after ${shown(event.after)}`);
  const full = { ...scene, reader };
  await bothFollow(full);
  return full;
}

/** Act 1: with the policy observe, a new column is published at once and stops a consumer. */
export async function actObserve(scene: Scene): Promise<void> {
  const { stage, tell, reader } = scene;
  const { running } = stage;
  tell.act("Policy observe: a new column flows at once, as it does without Fieldgate");
  tell.step("The database's owner adds a column, and the next release of the application fills it.");
  // From now on replica is expected to crash.
  const replica = running.get("replica");
  running.delete("replica");
  await addColumn(scene, "shop", "nickname");
  const event = await tell.sees(
    "nickname is in the events",
    () => reader.events.find((one) => one.after?.["nickname"] != null),
    () => "its values are in the events:",
  );
  tell.show(`op ${event.op}, after ${shown(event.after)}`);

  tell.step("greeter skips fields that its schema does not name. replica builds SQL from every key of the row.");
  await tell.sees(
    "replica has crashed",
    () => replica?.ended(),
    (how) => `replica has crashed with ${how}; its last output:`,
  );
  const words = (await replica?.output())?.trimEnd() ?? "";
  tell.show(words);
  tell.holds(
    /column "nickname" of relation "customers" does not exist/.test(words),
    'the reason: its table has no column "nickname"',
  );
  tell.holds(running.get("greeter")?.ended() === undefined, "greeter is still running");

  tell.step("Fieldgate has sent an alert, but it had no contracts to check.");
  await showSlackMessage(scene, `Released: ${stage.topic}.nickname`);
}
