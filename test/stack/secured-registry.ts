import { once } from "node:events";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import type { Authority } from "./certificates.ts";

export interface SecuredRegistry extends AsyncDisposable {
  readonly url: string;
  /** Answers given to requests without the right authorization. */
  readonly refused: () => number;
}

/**
 * A TLS proxy for a registry, as teams use it: the server's certificate is from the authority, clients must present one
 * from it too, and the authorization header must equal `authorization`. `hosts` are the names in the certificate.
 */
export async function securedRegistry(
  target: string,
  authority: Authority,
  authorization: string,
  hosts?: readonly string[],
): Promise<SecuredRegistry> {
  const { cert, key } = await authority.issue("registry", { hosts });
  const base = new URL(target);
  let refused = 0;
  const server = createServer({ cert, key, ca: authority.ca, requestCert: true }, (request, answer) => {
    void (async () => {
      const body = (await buffer(request)).toString();
      if (request.headers.authorization !== authorization) {
        refused++;
        answer.writeHead(401, { "content-type": "application/json" }).end('{"error_code":401}');
        return;
      }
      const real = await fetch(`${base.origin}${request.url ?? ""}`, {
        method: request.method ?? "GET",
        headers: { "content-type": request.headers["content-type"] ?? "application/json" },
        ...(body === "" ? {} : { body }),
      });
      answer.writeHead(real.status, { "content-type": real.headers.get("content-type") ?? "application/json" });
      answer.end(await real.text());
    })().catch(() => answer.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo; // the address of a TCP server is never a string
  return {
    url: `https://127.0.0.1:${port}${base.pathname}`,
    refused: () => refused,
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}
