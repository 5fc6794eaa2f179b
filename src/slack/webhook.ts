import { IncomingWebhook, IncomingWebhookHTTPError } from "@slack/webhook";

import type { Message } from "./message.ts";

/** The result of one attempt. */
export type Posted =
  | { readonly kind: "posted" }
  /** No answer, 429 or 5xx: worth another attempt, but not before `afterMs` if Slack gave that. */
  | { readonly kind: "later"; readonly afterMs: number | undefined; readonly reason: string }
  /** Another attempt would get the same answer. `payload`: the reason is this message, not the webhook. */
  | { readonly kind: "refused"; readonly payload: boolean; readonly reason: string };

export type Post = (message: Partial<Message>, signal: AbortSignal) => Promise<Posted>;

/**
 * Slack's incoming webhook; each call is one attempt. The URL is a secret, so it is in no result. Slack answers 200
 * `ok`, 429 with Retry-After in seconds (docs.slack.dev/apis/web-api/rate-limits), 5xx, or 400, 403, 404, 410 with a
 * word such as `invalid_payload`, `action_prohibited`, `no_service`, `channel_is_archived`
 * (api.slack.com/changelog/2016-05-17-changes-to-errors-for-incoming-webhooks).
 */
export function openWebhook(webhookUrl: string, timeoutMs = 10_000): Post {
  return async (message, signal) => {
    let afterMs: number | undefined;
    const webhook = new IncomingWebhook(webhookUrl, {
      timeout: timeoutMs,
      // The library cannot end a request that is under way, and does not expose the response headers.
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

/** Reads the header as seconds, which is what Slack sends; any other value is ignored. At most an hour. */
function millisecondsOf(retryAfter: string | null): number | undefined {
  const text = retryAfter?.trim() ?? "";
  return /^\d{1,9}$/.test(text) ? Math.min(Number(text), 3600) * 1000 : undefined;
}

/** Contains only the status and Slack's word, because the error's message may contain the webhook's address. */
function failureOf(error: unknown, afterMs: number | undefined): Posted {
  if (!(error instanceof IncomingWebhookHTTPError)) return { kind: "later", afterMs: undefined, reason: "no answer" };
  const { statusCode, body } = error;
  const word = /^[a-z_]{1,60}$/.test(body.trim()) ? ` (${body.trim()})` : "";
  const reason = `status ${statusCode}${word}`;
  if (statusCode === 429 || statusCode >= 500) return { kind: "later", afterMs, reason };
  return { kind: "refused", payload: statusCode === 400 && !/^no_|_not_found|token/.test(body.trim()), reason };
}
