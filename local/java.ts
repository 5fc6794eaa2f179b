import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** The one text for every missing tool: what is missing and each way out. */
export function missingTool(what: string): Error {
  return new Error(
    [
      `the local stack needs ${what}. Ways on:`,
      "  - install a JDK of 17 or later and Maven (Debian: apt install openjdk-17-jdk-headless maven; macOS: brew install openjdk maven)",
      "  - use servers you have: FIELDGATE_STACK=env with FIELDGATE_PG_URL, FIELDGATE_KAFKA_BROKERS and FIELDGATE_REGISTRY_URL",
      "  - let them run in containers: FIELDGATE_STACK=containers, with Docker or Podman",
      "  - start them in containers yourself with `docker compose up -d postgres kafka registry registry-level`, then FIELDGATE_STACK=env as above",
    ].join("\n"),
  );
}

function candidate(): string {
  const home = process.env["JAVA_HOME"];
  const own = home === undefined ? "" : join(home, "bin", "java");
  return existsSync(own) ? own : "java";
}

/** The java command: of JAVA_HOME, else of PATH. Throws `missingTool` when there is none or it is older than 17. */
export async function findJava(): Promise<string> {
  const java = candidate();
  const version = await run(java, ["-version"]).catch(() => undefined);
  if (version === undefined) throw missingTool("a JDK (no working `java` found)");
  const major = Number(/version "(\d+)/.exec(version.stderr)?.[1] ?? 0);
  if (major < 17) throw missingTool(`a JDK of 17 or later (\`${java}\` is ${major})`);
  return java;
}
