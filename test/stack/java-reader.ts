import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { ensureJars } from "../../local/cache.ts";
import { findJava } from "../../local/java.ts";
import type { Collected } from "./collect.ts";

const run = promisify(execFile);

/** A topic's committed records as Java's own consumer sees them, in the order of each partition. */
export async function readWithJava(
  brokers: readonly string[],
  topic: string,
): Promise<readonly Pick<Collected, "topic" | "partition" | "offset" | "key" | "value">[]> {
  const { kafka } = await ensureJars();
  const source = join(import.meta.dirname, "CommittedReader.java");
  const jvm = ["-Xmx128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", kafka];
  const { stdout } = await run(await findJava(), [...jvm, source, brokers.join(","), topic], {
    timeout: 120_000,
    maxBuffer: 1 << 28,
  });
  return stdout
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const [partition = "", offset = "", key = "", value = ""] = line.split(" ");
      return { topic, partition: Number(partition), offset: BigInt(offset), key: bytesOf(key), value: bytesOf(value) };
    });
}

function bytesOf(text: string): Buffer | null {
  return text === "-" ? null : Buffer.from(text, "base64");
}
