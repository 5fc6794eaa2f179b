import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rename, rm } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fetching, showDownload } from "./download.ts";
import { missingTool } from "./java.ts";

/** Downloads by Maven into a cache folder, with progress on stderr. */

/** `$FIELDGATE_CACHE`, or else `$XDG_CACHE_HOME/fieldgate`, or else `~/.cache/fieldgate`. */
export function cacheRoot(): string {
  const own = process.env["FIELDGATE_CACHE"];
  if (own !== undefined && own !== "") return own;
  const xdg = process.env["XDG_CACHE_HOME"];
  return join(xdg === undefined || xdg === "" ? join(homedir(), ".cache") : xdg, "fieldgate");
}

/** A download by Maven. */
interface Wanted {
  /** Whose download it is; every printed line starts with this. */
  readonly name: string;
  /** What is downloaded, for the message on the first run. */
  readonly what: string;
  /** The name of the cache folder. A hash of `pom` is appended, so a change in that file causes a new download. */
  readonly folder: string;
  readonly pom: string;
  readonly goals: readonly string[];
  /** For an empty Maven repository, including Maven's plugins. */
  readonly estimateMb: number;
  readonly unpack?: ((folder: string) => Promise<void>) | undefined;
}

/**
 * Returns the folder with the files, after downloading them into the cache if necessary. The folder gets its name only
 * when it is complete. If two processes download at the same time, one result is kept.
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
    say(wanted, `stored in ${folder}`);
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
  return folder;
}

async function download(wanted: Wanted, into: string): Promise<void> {
  say(wanted, `first run: downloading ${wanted.what} with Maven; this happens only once`);
  const lines: string[] = [];
  const progress = fetching();
  const shown = showDownload(wanted.name, wanted.estimateMb);
  // Without -B, which would suppress the progress of files. Maven asks no questions, and its stdin is closed.
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

/** Throws if the command cannot be started or does not exit with 0. */
export async function runTool(
  command: string,
  args: readonly string[],
  onLine: (line: string) => void = () => {},
): Promise<void> {
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "inherit"] });
  createInterface({ input: child.stdout, crlfDelay: Number.POSITIVE_INFINITY }).on("line", onLine);
  await new Promise<void>((resolve, reject) => {
    child.once("error", () => reject(missingTool(`\`${command}\``)));
    child.once("close", (code) => (code === 0 ? resolve() : reject(new Error(`${command} exited with ${code}`))));
  });
}
