import { execFile } from "node:child_process";
import { copyFile, mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

/** The oldest version that package.json's `engines` allows. */
export const OLDEST_NODE = "22.12.0";

const ROOT = join(import.meta.dirname, "../..");
const run = promisify(execFile);

async function npm(cwd: string, ...args: readonly string[]): Promise<void> {
  const maxBuffer = 64 << 20;
  await run("npm", [...args, "--no-audit", "--no-fund"], { cwd, maxBuffer });
}

/** A folder like that of a new repository, which has only our .npmrc. */
async function emptyFolder(parent: string, name: string): Promise<string> {
  const folder = await mkdtemp(join(parent, `${name}-`));
  await copyFile(join(ROOT, ".npmrc"), join(folder, ".npmrc"));
  // The install script of the package `node` downloads the binary.
  await writeFile(join(folder, "package.json"), JSON.stringify({ private: true, allowScripts: { node: true } }));
  return folder;
}

export interface Installed extends AsyncDisposable {
  readonly folder: string;
  readonly tarballBytes: number;
  /** All files in the folder's node_modules. */
  readonly installedBytes: number;
  /** The files of the package itself, relative to its folder. */
  readonly files: readonly string[];
  /** The other packages in node_modules. */
  readonly packages: readonly string[];
}

/** Packs the checkout and returns the path of the tarball, which is in a new folder. */
export async function pack(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "fieldgate-pack-"));
  await npm(ROOT, "pack", "--pack-destination", folder);
  return join(folder, (await readdir(folder)).find((name) => name.endsWith(".tgz")) ?? "missing.tgz");
}

/** Installs the tarball into an empty folder, like a user's `npm install`. */
export async function install(tarball: string): Promise<Installed> {
  const parent = await mkdtemp(join(tmpdir(), "fieldgate-user-"));
  const folder = await emptyFolder(parent, "user");
  await npm(folder, "install", "--omit=dev", tarball);
  const modules = join(folder, "node_modules");
  return {
    folder,
    tarballBytes: (await stat(tarball)).size,
    installedBytes: await bytesBelow(modules),
    files: await filesBelow(join(modules, "fieldgate")),
    packages: await readdir(modules),
    [Symbol.asyncDispose]: () => rm(parent, { recursive: true }),
  };
}

/** Installs this version of Node from npm and returns the path of its binary. */
export async function installNode(version: string, parent: string): Promise<string> {
  const folder = await emptyFolder(parent, "node");
  await npm(folder, "install", `node@${version}`);
  return join(folder, "node_modules/node/bin/node");
}

async function filesBelow(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1));
}

async function bytesBelow(folder: string): Promise<number> {
  const sizes = (await filesBelow(folder)).map(async (file) => (await stat(join(folder, file))).size);
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}
