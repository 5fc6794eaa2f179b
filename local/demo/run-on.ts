import { once } from "node:events";
import { createInterface } from "node:readline";
import { type Stage, lastWords } from "./stage.ts";

/** After the story, keeps everything running until Ctrl-C: people can type SQL, and Slack messages are printed. */
export async function runOn(stage: Stage, signal: AbortSignal): Promise<void> {
  print(invitation(stage));
  stage.slack.listen((message) => print(`\n[Slack]\n${message}\n`));
  const watching = setInterval(() => void report(stage), 500);
  const lines = createInterface({ input: process.stdin });
  lines.on("line", (line) => void runSql(stage, line));
  // Ctrl-C in a terminal arrives as a signal. Without a terminal stdin may end at once, which must not end the demo.
  if (!signal.aborted) await once(signal, "abort");
  clearInterval(watching);
  lines.close();
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

function invitation({ stack, source, replica, greeter, service, topic }: Stage): string {
  return `
Everything keeps running, and the shop keeps writing, until Ctrl-C.

   the shop's database   ${source.url}
   replica's database    ${replica.database.url}
   Kafka                 ${stack.kafka.brokers.join(",")}, topic ${topic}
   schema registry       ${stack.registry.url}/subjects/${topic}-value/versions/latest
   Fieldgate's API       ${service.url}/health
   what greeter knows    ${greeter.url}

In another terminal, in this folder:

   export FIELDGATE_URL=${service.url} FIELDGATE_TOKEN=${service.token}
   npx fieldgate amendments
   npx fieldgate check --file ${replica.repository.folder}/fieldgate.yaml
   npx fieldgate publish --env production --file ${replica.repository.folder}/fieldgate.yaml

Or type SQL for the shop's database here, for example

   ALTER TABLE customers ADD COLUMN phone text;
`;
}

/** Reports once for each process that it has ended. */
async function report({ running }: Stage): Promise<void> {
  for (const [role, program] of running) {
    const how = program.ended();
    if (how === undefined) continue;
    running.delete(role);
    print(`\n[${program.name} ended with ${how}]\n${await lastWords(program)}`);
  }
}

async function runSql({ source }: Stage, sql: string): Promise<void> {
  if (sql.trim() === "") return;
  try {
    const rows = await source.query(sql);
    print(rows.length === 0 ? "done" : rows.map((row) => JSON.stringify(row)).join("\n"));
  } catch (error) {
    print(String(error));
  }
}
