import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Block } from "../../src/slack/blocks.ts";
import { expectWithinLimits } from "./limits.ts";

/** The fake's next answer: Slack's status and word, a delay before it, or no answer at all. */
export type Answer =
  | {
      readonly status: number;
      readonly body?: string;
      readonly retryAfter?: number;
    }
  | "hangs";

export interface Payload {
  readonly text: string;
  readonly blocks?: Block[];
}

export interface FakeSlack extends AsyncDisposable {
  /** The last part of the URL is the secret. */
  readonly url: string;
  readonly payloads: readonly Payload[];
  /** Gives these answers in turn, then 200. */
  answer(...answers: readonly Answer[]): void;
}

/**
 * Slack's incoming webhook as documented: it accepts POST with JSON and answers 200 with the body `ok`. It answers 400
 * `invalid_payload` if the body is not JSON or has neither text nor blocks, 400 `invalid_blocks` beyond Block Kit's
 * limits, and 429 with Retry-After.
 */
export async function startFakeSlack(): Promise<FakeSlack> {
  const payloads: Payload[] = [];
  const answers: Answer[] = [];
  const server = createServer((request, response) => void receive(request, response));
  async function receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer); // a request without encoding gives buffers
    const answer = answers.shift() ?? verdictOn(request, Buffer.concat(parts).toString(), payloads);
    if (answer === "hangs") return;
    const headers = answer.retryAfter === undefined ? {} : { "retry-after": String(answer.retryAfter) };
    response.writeHead(answer.status, headers).end(answer.body ?? (answer.status === 200 ? "ok" : ""));
  }
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo; // it listens on a port
  return {
    url: `http://127.0.0.1:${port}/services/T00/B00/SECRET`,
    payloads,
    answer: (...next) => void answers.push(...next),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function verdictOn(request: IncomingMessage, body: string, payloads: Payload[]): Answer {
  const invalid = { status: 400, body: "invalid_payload" };
  if (request.method !== "POST" || request.headers["content-type"] !== "application/json") return invalid;
  const payload = read(body);
  if (payload === undefined) return invalid;
  try {
    if (payload.blocks !== undefined) expectWithinLimits({ text: payload.text, blocks: payload.blocks });
  } catch {
    return { status: 400, body: "invalid_blocks" };
  }
  payloads.push(payload);
  return { status: 200 };
}

function read(body: string): Payload | undefined {
  try {
    const payload = JSON.parse(body) as Partial<Payload>; // checked on the next line
    return typeof payload.text === "string" && payload.text !== "" ? { ...payload, text: payload.text } : undefined;
  } catch {
    return undefined;
  }
}
