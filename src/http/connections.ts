import type { Server } from "node:http";
import type { Socket } from "node:net";

/**
 * Keeps the number of connections limited. Beyond the limit, the connection that has waited longest for a request is
 * closed, so that connections that send nothing, or that send it slowly, keep no one else out. An orchestrator's question
 * to `/health` would otherwise get no answer, and a healthy service would be restarted.
 */
export function limitConnections(server: Server, most: number): void {
  const open = new Map<string, Socket>();
  /** Those without a request at the moment, the one that has waited longest first. */
  const idle = new Map<string, Socket>();
  server.on("connection", (socket: Socket) => {
    const place = placeOf(socket);
    open.set(place, socket);
    idle.set(place, socket);
    socket.once("close", () => {
      open.delete(place);
      idle.delete(place);
    });
    if (open.size <= most) return;
    const [oldest] = idle;
    if (oldest === undefined) return;
    open.delete(oldest[0]);
    idle.delete(oldest[0]);
    oldest[1].destroy();
  });
  server.on("request", ({ socket }, response) => {
    const place = placeOf(socket);
    idle.delete(place);
    response.once("close", () => {
      const still = open.get(place);
      if (still !== undefined) idle.set(place, still);
    });
  });
}

/** With TLS, the socket of a request differs from that of its connection, but both have the same place. */
function placeOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}
