import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rename, rm } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fetching, showDownload } from "./download.ts";
import { missingTool } from "./java.ts";

/** `$FIELDGATE_CACHE`, else `$XDG_CACHE_HOME/fieldgate`, else `~/.cache/fieldgate`. */
export function cacheRoot(): string {
  const own = process.env["FIELDGATE_CACHE"];
  if (own !== undefined && own !== "") return own;
  const xdg = process.env["XDG_CACHE_HOME"];
  return join(xdg === undefined || xdg === "" ? join(homedir(), ".cache") : xdg, "fieldgate");
}

/** What Maven is to fetch. */
interface Wanted {
  /** Who wants it: begins each line that is printed. */
  readonly name: string;
  /** For the line of the first run. */
  readonly what: string;
  /** The cache folder's name, which the hash of `pom` follows: a change in that file fetches anew. */
  readonly folder: string;
  readonly pom: string;
  readonly goals: readonly string[];
  /** All of it into an empty repository, with Maven's own plugins. */
  readonly estimateMb: number;
  readonly unpack?: ((folder: string) => Promise<void>) | undefined;
}

/**
 * The folder with what was fetched, on the first call of a machine into the cache. It appears under its name only when
 * complete; of two first runs at once one is kept.
 */
export async function ensureFetched(wanted: Wanted): Promise<string> {
  const pom = await readFile(wanted.pom);
  const key = `${wanted.folder}-${createHash("sha256").update(pom).digest("hex").slice(0, 12)}`;
  const root = cacheRoot();
  const folder = join(root, key);
  if (existsSync(folder)) return folder;
  await mkdir(root, { recursive: true });
  const partial = await mkdtemp(join(root, `partial-${key}-`));
  try {
    await download(wanted, partial);
    await rename(partial, folder).catch((error: unknown) => {
      if (!existsSync(folder)) throw error;
    });
    say(wanted, `kept in ${folder}`);
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
  return folder;
}

async function download(wanted: Wanted, into: string): Promise<void> {
  say(wanted, `first run: fetching ${wanted.what} with Maven, once`);
  const lines: string[] = [];
  const progress = fetching();
  const shown = showDownload(wanted.name, wanted.estimateMb);
  // Not -B: then it would say nothing of a file until it is there. It asks nothing, and its stdin is closed.
  const args = ["-Dstyle.color=never", "-f", wanted.pom, ...wanted.goals, `-DoutputDirectory=${into}`];
  await runTool("mvn", args, (line) => {
    progress.read(line);
    shown.update(progress.megabytes());
    if (line.startsWith("[ERROR]")) lines.push(line);
  })
    .catch((error: unknown) => {
      process.stderr.write(`\n${lines.join("\n")}\n`);
      throw error;
    })
    .finally(() => shown.stop());
  await wanted.unpack?.(into);
}

function say({ name }: Wanted, line: string): void {
  process.stderr.write(`${name}: ${line}\n`);
}

/** Throws when it cannot be started or ends with another code than 0. */
export async function runTool(
  command: string,
  args: readonly string[],
  onLine: (line: string) => void = () => {},
): Promise<void> {
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "inherit"] });
  createInterface({ input: child.stdout, crlfDelay: Number.POSITIVE_INFINITY }).on("line", onLine);
  await new Promise<void>((resolve, reject) => {
    child.once("error", () => reject(missingTool(`\`${command}\``)));
    child.once("close", (code) => (code === 0 ? resolve() : reject(new Error(`${command} ended with ${code}`))));
  });
}
