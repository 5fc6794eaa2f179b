import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";

export interface Asked {
  readonly method: string;
  /** Path and query as sent. */
  readonly path: string;
  readonly body: string;
  readonly authorization: string | undefined;
  readonly contentType: string | undefined;
}

/** A status with JSON or with text that is sent as it is, or a handler that answers. */
export type Recorded = readonly [status: number, body: unknown] | ((answer: ServerResponse) => void);

export interface Answers extends AsyncDisposable {
  readonly url: string;
  readonly asked: readonly Asked[];
}

/**
 * A server that gives recorded answers by "METHOD path?query". For anything else it gives Confluent's 404 for an unknown
 * route.
 */
export async function answers(recorded: Readonly<Record<string, Recorded>>): Promise<Answers> {
  const asked: Asked[] = [];
  const server = createServer((request, answer) => {
    void (async () => {
      const body = await text(request);
      const { method = "", url = "", headers } = request;
      asked.push({
        method,
        path: url,
        body,
        authorization: headers.authorization,
        contentType: headers["content-type"],
      });
      const known = recorded[`${method} ${url}`] ?? [404, { error_code: 404, message: "HTTP 404 Not Found" }];
      if (typeof known === "function") return known(answer);
      const [status, content] = known;
      const isText = typeof content === "string";
      answer.writeHead(status, { "content-type": isText ? "text/html" : "application/vnd.schemaregistry.v1+json" });
      answer.end(isText ? content : JSON.stringify(content));
    })().catch(() => answer.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo; // the address of a TCP server is never a string
  return {
    url: `http://127.0.0.1:${port}`,
    asked,
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}
