import { setTimeout as sleep } from "node:timers/promises";

import { IncomingWebhook, IncomingWebhookHTTPError } from "@slack/webhook";

import { alertMessage } from "./alert-message.ts";
import type { Alert } from "./alert.ts";

export interface SlackOptions {
  /** A secret: it is never logged. */
  readonly webhookUrl: string;
  readonly log: { warn(detail: object, message: string): void };
  /** For tests; the defaults are 10 s, 1 s and 2 s. */
  readonly timeoutMs?: number | undefined;
  readonly firstDelayMs?: number | undefined;
  readonly graceMs?: number | undefined;
}

export interface Slack extends AsyncDisposable {
  /** Queues the alert and returns at once. When 100 wait, the oldest is dropped with a log line. */
  send(alert: Alert): void;
  /** Tries what is queued once more for 2 s, then gives up on the rest. */
  [Symbol.asyncDispose](): Promise<void>;
}

const QUEUE_LIMIT = 100;
const ATTEMPTS = 8;
const LONGEST_DELAY_MS = 60_000;

/** Sends alerts one after the other beside the stream, each with up to 8 attempts at growing distance. */
export function startSlack(options: SlackOptions): Slack {
  const { log, timeoutMs = 10_000, firstDelayMs = 1000, graceMs = 2000 } = options;
  const queue: Alert[] = [];
  const closing = new AbortController();
  const ended = new AbortController();
  const webhook = new IncomingWebhook(options.webhookUrl, {
    timeout: timeoutMs,
    // The library has no way to end a request that is under way.
    fetch: (url, { signal, ...init } = {}) =>
      fetch(url, { ...init, signal: AbortSignal.any(signal ? [signal, ended.signal] : [ended.signal]) }),
  });
  let draining = false;
  let drained = Promise.resolve();

  async function drain(): Promise<void> {
    for (let alert = queue.shift(); alert !== undefined; alert = queue.shift()) await deliver(alert);
    draining = false;
  }

  async function deliver(alert: Alert): Promise<void> {
    for (let attempt = 1; !ended.signal.aborted; attempt += 1) {
      const failure = await webhook.send(alertMessage(alert)).then(() => undefined, readFailure);
      if (failure === undefined) return;
      const last = failure.kind === "refused" || attempt === ATTEMPTS || closing.signal.aborted;
      log.warn({ alert: alert.kind, attempt, reason: failure.reason }, last ? "slack alert given up" : "slack failed");
      if (last) return;
      await sleep(Math.min(firstDelayMs * 2 ** (attempt - 1), LONGEST_DELAY_MS), undefined, {
        signal: closing.signal,
      }).catch(() => undefined);
    }
    log.warn({ alert: alert.kind }, "slack alert given up: the service ends");
  }

  return {
    send(alert) {
      if (closing.signal.aborted) return;
      if (queue.length >= QUEUE_LIMIT) {
        log.warn({ alert: queue.shift()?.kind, waiting: QUEUE_LIMIT }, "slack queue full: the oldest alert is dropped");
      }
      queue.push(alert);
      if (draining) return;
      draining = true;
      drained = drain();
    },
    async [Symbol.asyncDispose]() {
      closing.abort();
      const grace = setTimeout(() => ended.abort(), graceMs);
      await drained;
      clearTimeout(grace);
    },
  };
}

interface Failure {
  /** `refused`: another attempt would get the same answer. */
  readonly kind: "refused" | "passing";
  readonly reason: string;
}

/** Status only: the answer's text and the error's message may hold the webhook's address. */
function readFailure(error: unknown): Failure {
  if (!(error instanceof IncomingWebhookHTTPError)) return { kind: "passing", reason: "no answer" };
  const passing = error.statusCode === 429 || error.statusCode >= 500;
  return { kind: passing ? "passing" : "refused", reason: `status ${error.statusCode}` };
}
