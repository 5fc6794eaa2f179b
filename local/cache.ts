import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { ensureFetched, runTool } from "./maven.ts";

/** `kafka`: a class path. `registry`: the runner's jar. */
export interface Jars {
  readonly kafka: string;
  readonly registry: string;
}

/** A java command of 17 or later, and what it runs. */
export interface Jvm {
  readonly java: string;
  readonly jars: Jars;
}

const REGISTRY = "apicurio-registry-app-3.0.9";

/** The jars of the stack's servers. */
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
