import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rename } from "node:fs/promises";
import { join } from "node:path";
import { ensureFetched, runTool } from "../../local/maven.ts";

const SOURCE = join(import.meta.dirname, "Engine.java");

/**
 * Returns the class path with Debezium and the compiled source, by default Engine.java. The first call downloads and
 * compiles, which takes half a minute.
 */
export async function engineClassPath(java: string, source = SOURCE): Promise<string> {
  const folder = await ensureFetched({
    name: "debezium",
    what: "Debezium",
    folder: "debezium",
    pom: join(import.meta.dirname, "pom.xml"),
    goals: ["dependency:copy-dependencies"],
    estimateMb: 45,
  });
  const jars = join(folder, "*");
  return `${await compiled(java, folder, jars, source)}:${jars}`;
}

/** Compiled only once, because starting from source takes 1.5 s longer. */
async function compiled(java: string, folder: string, jars: string, source: string): Promise<string> {
  const hash = createHash("sha256").update(await readFile(source));
  const classes = join(folder, `classes-${hash.digest("hex").slice(0, 12)}`);
  if (existsSync(classes)) return classes;
  const partial = await mkdtemp(join(folder, "partial-"));
  // `javac` is in the same folder as `java`.
  await runTool(`${java}c`, ["-cp", jars, "-d", partial, source]);
  await rename(partial, classes).catch((error: unknown) => {
    if (!existsSync(classes)) throw error;
  });
  return classes;
}
