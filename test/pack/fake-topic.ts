import { createServer } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

/** A topic whose events have these row columns, all of them text. */
export interface FakeTopic {
  readonly name: string;
  readonly flowing: readonly string[];
  readonly withheld: string;
}

function envelope({ name }: FakeTopic, columns: readonly string[]): string {
  const row = { type: "record", name: "Value", fields: columns.map((column) => ({ name: column, type: "string" })) };
  return JSON.stringify({
    type: "record",
    name: "Envelope",
    namespace: name,
    fields: [
      { name: "before", type: ["null", row], default: null },
      { name: "after", type: ["null", "Value"], default: null },
      { name: "op", type: "string" },
    ],
  });
}

/** Answers of the service (`/v1/topics/…`) and of a registry (`/subjects/…`) about a topic, by path. */
function answersOf(topic: FakeTopic): readonly (readonly [path: string, answer: object])[] {
  const flowing = envelope(topic, topic.flowing);
  const candidate = envelope(topic, [...topic.flowing, topic.withheld]);
  const withheld = [{ amendmentId: `${topic.name}/9`, field: topic.withheld, candidate }];
  const subject = `${topic.name}-value`;
  return [
    [`/v1/topics/${topic.name}`, { topic: topic.name, flowing: [{ schemaId: 1, schema: flowing }], withheld }],
    [`/subjects/${subject}/versions`, [1]],
    [`/subjects/${subject}/versions/1`, { subject, id: 1, version: 1, schema: flowing }],
  ];
}

/** A server that answers like the service and like a registry about these topics. Each answer takes `delayMs`. */
export async function serveTopics(
  topics: readonly FakeTopic[],
  delayMs = 0,
): Promise<AsyncDisposable & { readonly url: string }> {
  const answers = new Map(topics.flatMap(answersOf));
  const server = createServer(async (request, response) => {
    await sleep(delayMs);
    const answer = answers.get(new URL(request.url ?? "/", "http://localhost").pathname);
    response.writeHead(answer === undefined ? 404 : 200, { "content-type": "application/json" });
    response.end(JSON.stringify(answer ?? { code: "not-found", message: "no such topic", next: null }));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo; // the address of a TCP server is never a string
  return {
    url: `http://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
