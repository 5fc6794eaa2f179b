import { randomInt } from "node:crypto";
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { createServer } from "node:net";

// Below the range that systems use for outgoing connections (from 32768 on Linux, 49152 on macOS), so that no client
// takes a port between our check and the server's bind.
const LOWEST = 20_000;
const HIGHEST = 32_000;

/** Closed when this process ends. */
const reserved: Socket[] = [];

function bindable(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}

/**
 * A server binds its port seconds after the port was chosen. Until then, the UDP port with the same number, which nobody
 * else uses, tells every other process of ours that this one has chosen it.
 */
async function reserve(port: number): Promise<boolean> {
  const socket = createSocket("udp4");
  try {
    socket.bind({ port, address: "127.0.0.1", exclusive: true });
    await once(socket, "listening");
  } catch {
    socket.close();
    return false;
  }
  socket.unref();
  reserved.push(socket);
  return true;
}

/**
 * Returns a free port of 127.0.0.1 that no other call returns, in any process, while this process runs. It is random, so
 * that two stacks that start at the same time rarely try the same one.
 */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const port = randomInt(LOWEST, HIGHEST);
    if ((await reserve(port)) && (await bindable(port))) return port;
  }
  throw new Error(`no free port found between ${LOWEST} and ${HIGHEST}`);
}
