import { spawn } from "node:child_process";
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type Break, BREAKS } from "./break-list.ts";

/**
 * Would the law notice? Each deliberate break is made in a copy of the sources, and a short run of the law is played
 * with it. A break that no story shows means that the stories, or what they are held against, have a hole.
 */

const USAGE = `Plays the law against deliberate breaks, each of which it must notice.
  npm run test:law-breaks                       all of them
  npm run test:law-breaks -- --only backfill    those with this in their name
FIELDGATE_STACK=env takes servers that are up; else each run starts a stack.`;

const ROOT = join(import.meta.dirname, "../..");

/** By the exit code of a run. */
const OUTCOMES = ["NOT NOTICED", "noticed", "could not be played"] as const;
type Outcome = (typeof OUTCOMES)[number];

async function play({ file, from, to }: Break, seed: string, stories: string): Promise<Outcome> {
  const copy = await mkdtemp(join(tmpdir(), "fieldgate-law-"));
  try {
    for (const part of ["src", "test", "local", "package.json"])
      await cp(join(ROOT, part), join(copy, part), { recursive: true });
    await symlink(join(ROOT, "node_modules"), join(copy, "node_modules"));
    const text = await readFile(join(copy, file), "utf8");
    if (text.split(from).length !== 2) throw new Error(`${file} does not have this exactly once: ${from}`);
    await writeFile(
      join(copy, file),
      text.replace(from, () => to),
    );
    return OUTCOMES[(await playIn(copy, seed, stories)) ?? 2] ?? "could not be played";
  } finally {
    await rm(copy, { recursive: true, force: true });
  }
}

/** The exit code of a run of the law in this folder. */
function playIn(folder: string, seed: string, stories: string): Promise<number | null> {
  const options = ["--stories", stories, "--seed", seed, "--shrink", "0", "--first"];
  const run = ["--disable-warning=TimeoutNegativeWarning", "test/law/run.ts", ...options];
  const child = spawn(process.execPath, run, { cwd: folder, stdio: ["ignore", "inherit", "inherit"] });
  return new Promise((resolve) => child.once("exit", resolve));
}

const { values } = parseArgs({
  options: {
    only: { type: "string", default: "" },
    seed: { type: "string", default: "1" },
    stories: { type: "string", default: "200" },
    help: { type: "boolean" },
  },
});
if (values.help === true) console.log(USAGE);
else {
  const missed: string[] = [];
  for (const one of BREAKS.filter(({ name }) => name.includes(values.only))) {
    console.log(`\n=== ${one.name}`);
    const begun = performance.now();
    const outcome = await play(one, values.seed, values.stories);
    console.log(`=== ${one.name}: ${outcome}, ${Math.round((performance.now() - begun) / 1000)} s`);
    if (outcome !== "noticed") missed.push(one.name);
  }
  console.log(missed.length === 0 ? "every break was noticed" : `not noticed: ${missed.join("; ")}`);
  if (missed.length > 0) process.exitCode = 1;
}
