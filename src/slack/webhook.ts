import { IncomingWebhook, IncomingWebhookHTTPError } from "@slack/webhook";

import type { Message } from "./message.ts";

/** What came of one attempt. */
export type Posted =
  | { readonly kind: "posted" }
  /** No answer, 429 or 5xx: worth another attempt, not before `afterMs` if Slack says so. */
  | { readonly kind: "later"; readonly afterMs: number | undefined; readonly reason: string }
  /** Another attempt would get the same answer; `payload`: because of this message, not of the webhook. */
  | { readonly kind: "refused"; readonly payload: boolean; readonly reason: string };

export type Post = (message: Partial<Message>, signal: AbortSignal) => Promise<Posted>;

/**
 * Slack's incoming webhook, one attempt a call. The URL is a secret: it is in no result. Slack answers 200 `ok`, 429
 * with Retry-After in seconds (docs.slack.dev/apis/web-api/rate-limits), 5xx, or 400, 403, 404, 410 with a word such
 * as `invalid_payload`, `action_prohibited`, `no_service`, `channel_is_archived`
 * (api.slack.com/changelog/2016-05-17-changes-to-errors-for-incoming-webhooks).
 */
export function openWebhook(webhookUrl: string, timeoutMs = 10_000): Post {
  return async (message, signal) => {
    let afterMs: number | undefined;
    const webhook = new IncomingWebhook(webhookUrl, {
      timeout: timeoutMs,
      // The library has no way to end a request that is under way, and does not give an answer's headers.
      fetch: async (url, { signal: timeout, ...init } = {}) => {
        const ended = AbortSignal.any(timeout ? [timeout, signal] : [signal]);
        const answer = await fetch(url, { ...init, signal: ended });
        afterMs = millisecondsOf(answer.headers.get("retry-after"));
        return answer;
      },
    });
    return webhook.send(message).then(
      () => ({ kind: "posted" }),
      (error: unknown) => failureOf(error, afterMs),
    );
  };
}

/** Seconds, as Slack has it; whatever else is in the header says nothing. Never longer than an hour. */
function millisecondsOf(retryAfter: string | null): number | undefined {
  const text = retryAfter?.trim() ?? "";
  return /^\d{1,9}$/.test(text) ? Math.min(Number(text), 3600) * 1000 : undefined;
}

/** Status and Slack's word only: the error's message may hold the webhook's address. */
function failureOf(error: unknown, afterMs: number | undefined): Posted {
  if (!(error instanceof IncomingWebhookHTTPError)) return { kind: "later", afterMs: undefined, reason: "no answer" };
  const { statusCode, body } = error;
  const word = /^[a-z_]{1,60}$/.test(body.trim()) ? ` (${body.trim()})` : "";
  const reason = `status ${statusCode}${word}`;
  if (statusCode === 429 || statusCode >= 500) return { kind: "later", afterMs, reason };
  return { kind: "refused", payload: statusCode === 400 && !/^no_|_not_found|token/.test(body.trim()), reason };
}
