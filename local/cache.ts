import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { ensureFetched, runTool } from "./maven.ts";

/** `kafka` is a class path, `registry` the path of a runnable jar. */
export interface Jars {
  readonly kafka: string;
  readonly registry: string;
}

/** A java command, 17 or later, and the jars that it runs. */
export interface Jvm {
  readonly java: string;
  readonly jars: Jars;
}

const REGISTRY = "apicurio-registry-app-3.0.9";

/** Returns the jars of the stack's servers, which are downloaded on the first call. */
export async function ensureJars(): Promise<Jars> {
  const folder = await ensureFetched({
    name: "local stack",
    what: "Kafka and the schema registry",
    folder: "jars",
    pom: join(import.meta.dirname, "pom.xml"),
    goals: ["dependency:copy-dependencies", "dependency:copy"],
    estimateMb: 160,
    unpack: unpackRegistry,
  });
  return { kafka: join(folder, "*"), registry: join(folder, "registry", `${REGISTRY}-runner.jar`) };
}

async function unpackRegistry(folder: string): Promise<void> {
  const archive = join(folder, `${REGISTRY}-all.tar.gz`);
  await mkdir(join(folder, "registry"));
  await runTool("tar", ["-xzf", archive, "-C", join(folder, "registry")]);
  await rm(archive);
}
