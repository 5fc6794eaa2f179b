import { execFile } from "node:child_process";
import type * as Crypto from "node:crypto";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { freePort } from "../../local/ports.ts";

/** What is drawn next; random otherwise. */
const drawn = vi.hoisted((): number[] => []);
vi.mock("node:crypto", async (original) => {
  const crypto = await original<typeof Crypto>();
  return { ...crypto, randomInt: (low: number, high: number) => drawn.shift() ?? crypto.randomInt(low, high) };
});

const PORTS = join(import.meta.dirname, "../../local/ports.ts");

/** A port that a process has been given that still runs, although no server listens on it. */
async function givenElsewhere() {
  const script = `import { freePort } from ${JSON.stringify(PORTS)};
    process.stdout.write(String(await freePort()) + "\\n"); process.stdin.resume();`;
  const child = execFile(process.execPath, ["--input-type=module", "--eval", script]);
  const port = await new Promise<number>((resolve) => child.stdout?.once("data", (text) => resolve(Number(text))));
  return { port, [Symbol.dispose]: () => child.kill("SIGKILL") };
}

test("a port is given to no other call, neither in this process nor in another one that still runs", async () => {
  using other = await givenElsewhere();
  const own = await freePort();
  drawn.push(own, other.port);
  const next = await freePort();
  expect(drawn).toEqual([]);
  expect([own, other.port]).not.toContain(next);
});
