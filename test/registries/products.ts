import { mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { ensureFetched, runTool } from "../../local/maven.ts";
import type { RegistryProgram } from "../../local/registry.ts";
import { javaOfAtLeast } from "./java.ts";

/** A registry as it can be had on this machine. */
export type Had =
  | { readonly kind: "program"; readonly program: RegistryProgram }
  | { readonly kind: "running"; readonly url: string }
  | { readonly kind: "missing"; readonly why: string };

interface Product {
  /** The name of the project in vitest. */
  readonly name: string;
  readonly find: () => Promise<Had>;
}

/** The registries that `npm run test:registries` tests with; `npm test` does so with Apicurio 3.0.9. */
export const PRODUCTS: readonly Product[] = [
  { name: "apicurio-2.6", find: () => apicurio("2.6.13.Final", 17, "apicurio-registry-app-2.6.13.Final-runner.jar") },
  { name: "apicurio-3.3", find: () => apicurio("3.3.3", 21, "quarkus-run.jar") },
  { name: "karapace", find: () => running("FIELDGATE_KARAPACE_URL") },
  { name: "confluent", find: () => running("FIELDGATE_CONFLUENT_URL") },
  { name: "redpanda", find: () => running("FIELDGATE_REDPANDA_URL") },
];

/** Downloaded once, with Maven. */
async function apicurio(version: string, javaMajor: number, jar: string): Promise<Had> {
  try {
    const java = await javaOfAtLeast(javaMajor);
    const folder = await ensureFetched({
      name: "registries",
      what: `Apicurio ${version}`,
      folder: `apicurio-${version}`,
      pom: join(import.meta.dirname, "pom.xml"),
      goals: ["dependency:copy", `-Dapicurio.version=${version}`],
      estimateMb: 160,
      unpack,
    });
    return { kind: "program", program: { java, jar: join(folder, "registry", jar) } };
  } catch (error) {
    const why = error instanceof Error ? error.message.split("\n")[0] : String(error);
    return { kind: "missing", why: `it needs Maven and a Java of version ${javaMajor} or later (${why})` };
  }
}

async function unpack(folder: string): Promise<void> {
  const archive = join(folder, (await readdir(folder)).find((name) => name.endsWith(".tar.gz")) ?? "");
  await mkdir(join(folder, "registry"));
  await runTool("tar", ["-xzf", archive, "-C", join(folder, "registry")]);
  await rm(archive);
}

/** These cannot be downloaded from a package registry, so they have to run already. */
async function running(variable: string): Promise<Had> {
  const url = process.env[variable] ?? "";
  if (url !== "") return { kind: "running", url: url.replace(/\/$/, "") };
  return { kind: "missing", why: `set ${variable} to the address of one that runs, with level BACKWARD` };
}
