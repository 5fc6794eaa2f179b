import { type IncomingMessage, createServer } from "node:http";
import { freePort } from "../ports.ts";

/** Takes Slack's place: receives the service's messages, and forwards them if there is a real webhook. */
export interface SlackReceiver extends AsyncDisposable {
  readonly url: string;
  /** The messages so far, as text. */
  readonly messages: readonly string[];
  /** Passes every further message to the listener. */
  listen(listener: (message: string) => void): void;
}

interface Payload {
  readonly text: string;
  readonly blocks: readonly {
    readonly text?: { readonly text: string };
    readonly elements?: readonly { readonly text: string }[];
  }[];
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer); // a request without encoding gives buffers
  return Buffer.concat(parts).toString();
}

/** The texts of a payload's blocks, with Slack's three escapes undone. */
function textOf(body: string): string {
  const { blocks } = JSON.parse(body) as Payload; // the message comes from our own service
  const texts = blocks.flatMap(({ text, elements = [] }) => [...(text ? [text] : []), ...elements]);
  return texts
    .map(({ text }) => text.replaceAll("```", ""))
    .join("\n")
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&amp;", "&");
}

async function forward(webhook: string | undefined, body: string): Promise<number> {
  if (webhook === undefined || webhook === "") return 200;
  const headers = { "content-type": "application/json" };
  return (await fetch(webhook, { method: "POST", headers, body })).status;
}

export async function startSlackReceiver(webhook: string | undefined): Promise<SlackReceiver> {
  const messages: string[] = [];
  let listener: ((message: string) => void) | undefined;
  const server = createServer((request, response) => {
    void (async () => {
      const body = await bodyOf(request);
      const message = textOf(body);
      messages.push(message);
      listener?.(message);
      response.statusCode = await forward(webhook, body).catch(() => 503);
      response.end("ok");
    })();
  });
  const port = await freePort();
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${port}/`,
    messages,
    listen: (given) => (listener = given),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
