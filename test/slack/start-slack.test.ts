import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";

import { afterEach, describe, expect, it, vi } from "vitest";

import type { Alert } from "../../src/slack/alert.ts";
import { startSlack } from "../../src/slack/start-slack.ts";

function alert(number: number): Alert {
  return { kind: "stopped", connector: `c${number}`, code: "wal-level", message: "wal_level is not logical" };
}

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close().closeAllConnections();
});

async function receiver(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/services/T/SECRET`;
}

/** Answers with the given statuses in turn, the last one for ever, and keeps the titles it was sent. */
async function answering(...statuses: number[]) {
  const titles: string[] = [];
  const url = await receiver((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      titles.push(String(JSON.parse(Buffer.concat(chunks).toString()).text));
      response.writeHead((statuses.length > 1 ? statuses.shift() : statuses[0]) ?? 200).end("ok");
    });
  });
  return { url, titles };
}

function logger() {
  const lines: string[] = [];
  return {
    lines,
    log: { warn: (detail: object, message: string) => void lines.push(JSON.stringify({ ...detail, message })) },
  };
}

describe("startSlack", () => {
  it("delivers in order", async () => {
    const { url, titles } = await answering(200);
    const slack = startSlack({ webhookUrl: url, log: logger().log });
    for (const number of [1, 2, 3]) slack.send(alert(number));
    await vi.waitFor(() => expect(titles).toHaveLength(3));
    expect(titles).toEqual([1, 2, 3].map((number) => `Stopped: connector c${number}`));
    await slack[Symbol.asyncDispose]();
  });

  it.each([500, 503, 429])("tries again after status %i", async (status) => {
    const { url, titles } = await answering(status, status, 200);
    const { log, lines } = logger();
    await using slack = startSlack({ webhookUrl: url, log, firstDelayMs: 1 });
    slack.send(alert(1));
    await vi.waitFor(() => expect(titles).toHaveLength(3));
    expect(lines).toHaveLength(2);
  });

  it.each([400, 403, 404, 410])("gives up at once at status %i and goes on with the next alert", async (status) => {
    const { url, titles } = await answering(status, 200);
    const { log, lines } = logger();
    await using slack = startSlack({ webhookUrl: url, log });
    slack.send(alert(1));
    slack.send(alert(2));
    await vi.waitFor(() => expect(titles).toEqual(["Stopped: connector c1", "Stopped: connector c2"]));
    expect(lines).toEqual([expect.stringMatching(new RegExp(`status ${status}.*given up`))]);
  });

  it("never shows the webhook's address", async () => {
    const { log, lines } = logger();
    const slack = startSlack({ webhookUrl: "http://127.0.0.1:1/services/T/SECRET", log, firstDelayMs: 1 });
    slack.send(alert(1));
    await vi.waitFor(() => expect(lines.length).toBeGreaterThanOrEqual(8));
    await slack[Symbol.asyncDispose]();
    expect(lines.join()).not.toMatch(/SECRET|127\.0\.0\.1/);
  });

  it("does not wait for a receiver that hangs: a thousand alerts are taken at once, the oldest are dropped", async () => {
    const url = await receiver(() => undefined);
    const { log, lines } = logger();
    const slack = startSlack({ webhookUrl: url, log, graceMs: 50 });
    const start = performance.now();
    for (let number = 0; number < 1000; number += 1) slack.send(alert(number));
    expect(performance.now() - start).toBeLessThan(500);
    expect(lines.filter((line) => line.includes("queue full"))).toHaveLength(899);
    await slack[Symbol.asyncDispose]();
    expect(lines.filter((line) => line.includes("the service ends") || line.includes("given up"))).toHaveLength(101);
  });

  it("ends a request that hangs after its time, and tries again", async () => {
    let requests = 0;
    const url = await receiver((_request, response) => {
      requests += 1;
      if (requests > 1) response.end("ok");
    });
    const { log, lines } = logger();
    await using slack = startSlack({ webhookUrl: url, log, timeoutMs: 50, firstDelayMs: 1 });
    slack.send(alert(1));
    await vi.waitFor(() => expect(requests).toBe(2));
    expect(lines).toHaveLength(1);
  });

  it("delivers what is queued when it is disposed of, and takes nothing after", async () => {
    const { url, titles } = await answering(200);
    const slack = startSlack({ webhookUrl: url, log: logger().log });
    slack.send(alert(1));
    slack.send(alert(2));
    await slack[Symbol.asyncDispose]();
    slack.send(alert(3));
    expect(titles).toHaveLength(2);
  });
});
