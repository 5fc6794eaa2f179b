import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** The error for any missing tool: it names the tool and every alternative. */
export function missingTool(what: string): Error {
  return new Error(
    [
      `the local stack requires ${what}. You can:`,
      "  - install Maven and a JDK, 17 or later (Debian: apt install openjdk-17-jdk-headless maven; macOS: brew install openjdk maven)",
      "  - use existing servers: set FIELDGATE_STACK=env, FIELDGATE_PG_URL, FIELDGATE_KAFKA_BROKERS and FIELDGATE_REGISTRY_URL",
      "  - run the servers in containers: set FIELDGATE_STACK=containers, with Docker or Podman installed",
      "  - start the containers yourself with `docker compose up -d postgres kafka registry registry-level`, and set FIELDGATE_STACK=env as above",
    ].join("\n"),
  );
}

function candidate(): string {
  const home = process.env["JAVA_HOME"];
  const own = home === undefined ? "" : join(home, "bin", "java");
  return existsSync(own) ? own : "java";
}

/** The java command in JAVA_HOME, or else in PATH, and its version; undefined if there is none that works. */
export async function installedJava(): Promise<{ readonly java: string; readonly major: number } | undefined> {
  const java = candidate();
  const version = await run(java, ["-version"]).catch(() => undefined);
  return version && { java, major: Number(/version "(\d+)/.exec(version.stderr)?.[1] ?? 0) };
}

/** Finds the java command in JAVA_HOME, or else in PATH. Throws `missingTool` if there is none of version 17 or later. */
export async function findJava(): Promise<string> {
  const found = await installedJava();
  if (found === undefined) throw missingTool("a JDK (no working `java` found)");
  if (found.major < 17) throw missingTool(`a JDK, 17 or later (\`${found.java}\` is version ${found.major})`);
  return found.java;
}
