import { randomInt } from "node:crypto";
import { createServer } from "node:net";

// Below the range that systems use for outgoing connections (from 32768 on Linux, 49152 on macOS), so that no client
// takes a port between our check and the server's bind.
const LOWEST = 20_000;
const HIGHEST = 32_000;
const given = new Set<number>();

function bindable(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}

/**
 * Returns a free port of 127.0.0.1, never the same twice in a process. It is random, so that two stacks that start at
 * the same time do not choose the same one.
 */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const port = randomInt(LOWEST, HIGHEST);
    if (!given.has(port) && (await bindable(port))) {
      given.add(port);
      return port;
    }
  }
  throw new Error(`no free port found between ${LOWEST} and ${HIGHEST}`);
}
