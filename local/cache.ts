import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rename, rm } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fetching, showDownload } from "./download.ts";
import { missingTool } from "./java.ts";

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

/** `$FIELDGATE_CACHE`, else `$XDG_CACHE_HOME/fieldgate`, else `~/.cache/fieldgate`. */
export function cacheRoot(): string {
  const own = process.env["FIELDGATE_CACHE"];
  if (own !== undefined && own !== "") return own;
  const xdg = process.env["XDG_CACHE_HOME"];
  return join(xdg === undefined || xdg === "" ? join(homedir(), ".cache") : xdg, "fieldgate");
}

function say(line: string): void {
  process.stderr.write(`local stack: ${line}\n`);
}

async function runTool(command: string, args: readonly string[], onLine: (line: string) => void): Promise<void> {
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "inherit"] });
  createInterface({ input: child.stdout, crlfDelay: Number.POSITIVE_INFINITY }).on("line", onLine);
  await new Promise<void>((resolve, reject) => {
    child.once("error", () => reject(missingTool(`\`${command}\``)));
    child.once("close", (code) => (code === 0 ? resolve() : reject(new Error(`${command} ended with ${code}`))));
  });
}

/** What a pom names, to be fetched once. */
export interface Fetched {
  readonly pom: string;
  /** The folder is called so, with a hash of the pom behind it. */
  readonly name: string;
  /** `Kafka and the schema registry` */
  readonly what: string;
  /** All that Maven fetches into an empty repository, its own plugins too. */
  readonly estimateMb: number;
  readonly goals: readonly string[];
  /** What is left to do before the folder is complete. */
  readonly finish?: ((folder: string) => Promise<void>) | undefined;
}

async function download({ pom, what, estimateMb, goals, finish }: Fetched, into: string): Promise<void> {
  say(`first run: fetching ${what} with Maven, once`);
  const lines: string[] = [];
  const progress = fetching();
  const shown = showDownload(estimateMb);
  // Not -B: then it would say nothing of a file until it is there. It asks nothing, and its stdin is closed.
  const options = ["-Dstyle.color=never", "-f", pom, `-DoutputDirectory=${into}`];
  await runTool("mvn", [...options, ...goals], (line) => {
    progress.read(line);
    shown.update(progress.megabytes());
    if (line.startsWith("[ERROR]")) lines.push(line);
  })
    .catch((error: unknown) => {
      process.stderr.write(`\n${lines.join("\n")}\n`);
      throw error;
    })
    .finally(() => shown.stop());
  await finish?.(into);
}

/**
 * The folder of the cache with what the pom names, fetched on the first call of a machine. It appears under its name only when complete; of two first runs at once one is kept.
 */
export async function ensureFetched(wanted: Fetched): Promise<string> {
  const key = createHash("sha256")
    .update(await readFile(wanted.pom))
    .digest("hex")
    .slice(0, 12);
  const root = cacheRoot();
  const folder = join(root, `${wanted.name}-${key}`);
  if (existsSync(folder)) return folder;
  await mkdir(root, { recursive: true });
  const partial = await mkdtemp(join(root, `partial-${key}-`));
  try {
    await download(wanted, partial);
    await rename(partial, folder).catch((error: unknown) => {
      if (!existsSync(folder)) throw error;
    });
    say(`kept in ${folder}`);
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
  return folder;
}

async function unpackRegistry(folder: string): Promise<void> {
  const archive = join(folder, `${REGISTRY}-all.tar.gz`);
  await mkdir(join(folder, "registry"));
  await runTool("tar", ["-xzf", archive, "-C", join(folder, "registry")], () => {});
  await rm(archive);
}

/** The jars of the stack's servers. */
export async function ensureJars(): Promise<Jars> {
  const folder = await ensureFetched({
    pom: join(import.meta.dirname, "pom.xml"),
    name: "jars",
    what: "Kafka and the schema registry",
    estimateMb: 160,
    goals: ["dependency:copy-dependencies", "dependency:copy"],
    finish: unpackRegistry,
  });
  return { kafka: join(folder, "*"), registry: join(folder, "registry", `${REGISTRY}-runner.jar`) };
}
