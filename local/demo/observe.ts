import { type Scene, addColumn, bothFollow, shown, slackSays } from "./scene.ts";
import type { TopicReader } from "./topic.ts";

/** Before the first act: everything runs. */
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
  await addColumn(scene, "shop", "nickname");
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
