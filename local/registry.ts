import type { Jvm } from "./cache.ts";
import { freePort } from "./ports.ts";
import { type Prepared, type Supervisor, untilReady } from "./supervisor.ts";

/** Throws if the status is not 2xx. */
export async function expectOk(response: Promise<Response>): Promise<void> {
  const { ok, status, url } = await response;
  if (!ok) throw new Error(`${url} answered ${status}`);
}

/** Without this level, Apicurio checks nothing at registration. */
export async function requireBackward(url: string): Promise<void> {
  const body = JSON.stringify({ compatibility: "BACKWARD" });
  await expectOk(fetch(`${url}/config`, { method: "PUT", headers: { "content-type": "application/json" }, body }));
}

/**
 * Creates an Apicurio registry. Its data is in memory, so it is empty after a restart; with `brokers` the data is in
 * Kafka and survives. `url` is the base of Confluent's API, without a trailing slash.
 */
export async function createRegistry(
  supervisor: Supervisor,
  jvm: Jvm,
  brokers: readonly string[] | undefined,
): Promise<Prepared<{ readonly url: string }>> {
  const port = await freePort();
  const host = `http://127.0.0.1:${port}`;
  const url = `${host}/apis/ccompat/v7`;
  const settings = ["-Dquarkus.http.host=127.0.0.1", `-Dquarkus.http.port=${port}`];
  if (brokers !== undefined) {
    settings.push("-Dapicurio.storage.kind=kafkasql", `-Dapicurio.kafkasql.bootstrap.servers=${brokers.join(",")}`);
  }
  return {
    address: { url },
    async start() {
      const server = await supervisor.launch("registry", {
        command: jvm.java,
        args: ["-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", ...settings, "-jar", jvm.jars.registry],
        stop: "SIGKILL",
      });
      await untilReady(server, () => expectOk(fetch(`${host}/health/ready`)));
      await requireBackward(url);
      return server;
    },
  };
}
