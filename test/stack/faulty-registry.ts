import { once } from "node:events";
import { type IncomingMessage, type ServerResponse, createServer } from "node:http";
import { buffer } from "node:stream/consumers";
import { freePort } from "../../local/ports.ts";

/** `path` is relative to the base of Confluent's API and has the query: `/subjects/a-value/versions?normalize=true`. */
interface Asked {
  readonly method: string;
  readonly path: string;
  readonly body: string;
}

/** What happens to a request that is not forwarded. `cut` closes the connection without an answer. */
type Fault =
  | { readonly kind: "hang" }
  | { readonly kind: "cut" }
  | { readonly kind: "answer"; readonly status: number; readonly body?: unknown; readonly contentType?: string };

/** A proxy for the real registry, with failures that a test chooses. */
export interface FaultyRegistry extends AsyncDisposable {
  readonly url: string;
  /** Every request so far, in order, including those with a fault. */
  readonly asked: readonly Asked[];
  /** Causes `fault` for requests for which `when` is true; others are forwarded. Replaces an earlier fault. */
  fail(fault: Fault, when?: (asked: Asked) => boolean): void;
  /** Stops listening: new connections are refused, and open ones are closed. */
  refuse(): Promise<void>;
  /** Forwards requests again, at the same address. Requests that hang remain so. */
  heal(): Promise<void>;
}

async function forward(base: string, { method, path, body }: Asked, request: IncomingMessage, answer: ServerResponse) {
  const { "content-type": contentType, accept, authorization } = request.headers;
  const headers = Object.entries({ "content-type": contentType, accept, authorization });
  const real = await fetch(`${base}${path}`, {
    method,
    headers: headers.flatMap(([name, value]): [string, string][] => (value === undefined ? [] : [[name, value]])),
    ...(body === "" ? {} : { body }),
  });
  answer.writeHead(real.status, { "content-type": real.headers.get("content-type") ?? "application/json" });
  answer.end(await real.text());
}

function meet(fault: Fault, answer: ServerResponse): void {
  switch (fault.kind) {
    case "hang":
      return;
    case "cut":
      answer.destroy();
      return;
    case "answer":
      answer.writeHead(fault.status, { "content-type": fault.contentType ?? "application/vnd.schemaregistry.v1+json" });
      answer.end(
        typeof fault.body === "string" ? fault.body : JSON.stringify(fault.body ?? { error_code: fault.status }),
      );
      return;
    default:
      fault satisfies never;
  }
}

/** `target` is the base of the real registry's API, `servers.registry.url`. */
export async function faultyRegistry(target: string): Promise<FaultyRegistry> {
  const { pathname } = new URL(target);
  const base = pathname === "/" ? "" : pathname;
  const asked: Asked[] = [];
  let faultOf = (_request: Asked): Fault | undefined => undefined;
  const server = createServer((request, answer) => {
    void (async () => {
      const path = (request.url ?? "").replace(base, "");
      const one: Asked = { method: request.method ?? "GET", path, body: (await buffer(request)).toString() };
      asked.push(one);
      const fault = faultOf(one);
      await (fault === undefined ? forward(target, one, request, answer) : meet(fault, answer));
    })().catch(() => answer.destroy());
  });
  // Not one of the ports of outgoing connections, which could take it while this server refuses connections.
  const port = await freePort();
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  async function refuse(): Promise<void> {
    if (!server.listening) return;
    server.close();
    server.closeAllConnections();
    await once(server, "close");
  }
  return {
    url: `http://127.0.0.1:${port}${base}`,
    asked,
    fail(fault, when = () => true) {
      faultOf = (request) => (when(request) ? fault : undefined);
    },
    refuse,
    async heal() {
      faultOf = () => undefined;
      if (server.listening) return;
      server.listen(port, "127.0.0.1");
      await once(server, "listening");
    },
    [Symbol.asyncDispose]: refuse,
  };
}
