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

/** An Apicurio, version 2 or later. */
export interface RegistryProgram {
  /** A java command of the version that it needs. */
  readonly java: string;
  readonly jar: string;
}

/**
 * Creates an Apicurio registry. Its data is in memory, so it is empty after a restart; with `brokers` the data is in
 * Kafka and survives. `url` is the base of Confluent's API, without a trailing slash.
 */
export async function createRegistry(
  supervisor: Supervisor,
  { java, jar }: RegistryProgram,
  brokers: readonly string[] | undefined,
): Promise<Prepared<{ readonly url: string }>> {
  const [port, managementPort] = [await freePort(), await freePort()];
  const url = `http://127.0.0.1:${port}/apis/ccompat/v7`;
  const settings = [
    "-Dquarkus.http.host=127.0.0.1",
    `-Dquarkus.http.port=${port}`,
    // Apicurio 3.3 answers about its health at a port of its own.
    "-Dquarkus.management.host=127.0.0.1",
    `-Dquarkus.management.port=${managementPort}`,
  ];
  if (brokers !== undefined) {
    settings.push("-Dapicurio.storage.kind=kafkasql", `-Dapicurio.kafkasql.bootstrap.servers=${brokers.join(",")}`);
  }
  const health = [port, managementPort].map((each) => `http://127.0.0.1:${each}/health/ready`);
  return {
    address: { url },
    async start() {
      const server = await supervisor.launch("registry", {
        command: java,
        args: ["-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", ...settings, "-jar", jar],
        stop: "SIGKILL",
      });
      await untilReady(server, () => Promise.any(health.map((each) => expectOk(fetch(each)))));
      await requireBackward(url);
      return server;
    },
  };
}
