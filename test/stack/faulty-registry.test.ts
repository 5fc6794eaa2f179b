import { createServer } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { faultyRegistry } from "./faulty-registry.ts";

/** Takes the place of the real registry, and answers with the requested path. */
async function echo(base = "/apis/ccompat/v7") {
  const server = createServer((request, answer) => answer.end(JSON.stringify(`${request.method} ${request.url}`)));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}${base}`,
    [Symbol.dispose]() {
      server.close();
      server.closeAllConnections();
    },
  };
}

test.each(["/apis/ccompat/v7", ""])("requests reach the registry with the path after the base '%s'", async (base) => {
  using real = await echo(base);
  await using registry = await faultyRegistry(real.url);
  const response = await fetch(`${registry.url}/subjects?deleted=true`);
  expect(await response.json()).toBe(`GET ${base}/subjects?deleted=true`);
  expect(registry.asked).toStrictEqual([{ method: "GET", path: "/subjects?deleted=true", body: "" }]);
});

test("a fault affects only the chosen requests", async () => {
  using real = await echo();
  await using registry = await faultyRegistry(real.url);
  registry.fail({ kind: "answer", status: 409 }, ({ method }) => method === "POST");
  const refused = await fetch(`${registry.url}/subjects/a/versions`, { method: "POST", body: "{}" });
  expect([refused.status, await refused.json()]).toStrictEqual([409, { error_code: 409 }]);
  expect((await fetch(`${registry.url}/subjects`)).status).toBe(200);
});

test("the fault hang gives no answer, the fault cut closes the connection", async () => {
  using real = await echo();
  await using registry = await faultyRegistry(real.url);
  registry.fail({ kind: "hang" });
  await expect(fetch(registry.url, { signal: AbortSignal.timeout(100) })).rejects.toThrow("timeout");
  registry.fail({ kind: "cut" });
  await expect(fetch(registry.url)).rejects.toThrow("fetch failed");
});

test("after healing, a registry that refused connections answers at the same address", async () => {
  using real = await echo();
  await using registry = await faultyRegistry(real.url);
  await registry.refuse();
  const refused = await fetch(registry.url).catch((error: unknown) => (error as Error).cause);
  expect(refused).toMatchObject({ code: "ECONNREFUSED" });
  await registry.heal();
  expect((await fetch(registry.url)).status).toBe(200);
});
