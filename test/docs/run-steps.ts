import { spawn } from "node:child_process";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { text } from "node:stream/consumers";
import { COMPILED } from "../cli/run-cli.ts";

const CLI = join(import.meta.dirname, "../../src/cli.ts");

/**
 * Runs a job's steps in the folder, one after the other and up to the first that fails, as a runner does. `npm ci` does
 * nothing, `npm test` runs package.json's script, and `npx fieldgate` runs this checkout. `more` is shell code that runs
 * before `npx fieldgate` and may change its arguments.
 */
export async function runSteps(
  folder: string,
  steps: readonly string[],
  env: Readonly<Record<string, string>>,
  more = "",
): Promise<{ readonly code: number | null; readonly out: string; readonly err: string }> {
  const bin = join(folder, "bin");
  mkdirSync(bin);
  writeFileSync(join(bin, "npm"), `#!/bin/sh\n[ "$1" = ci ] || exec "${process.execPath}" --run "$@"\n`);
  writeFileSync(join(bin, "npx"), `#!/bin/sh\nshift\n${more}\nexec "${process.execPath}" "${CLI}" "$@"\n`);
  for (const name of ["npm", "npx"]) chmodSync(join(bin, name), 0o755);
  const child = spawn("bash", ["--noprofile", "--norc", "-eo", "pipefail", "-c", steps.join("\n")], {
    cwd: folder,
    env: {
      PATH: `${bin}${delimiter}${process.env["PATH"]}`,
      NODE_NO_WARNINGS: "1",
      NODE_COMPILE_CACHE: COMPILED,
      ...env,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { code: await ended, out, err };
}
