import type { Alert } from "../alert/alert.ts";
import type { Clock } from "./clock.ts";
import { messageOf } from "./message.ts";
import type { Post, Posted } from "./webhook.ts";

export interface SlackLog {
  warn(detail: object, message: string): void;
  error(detail: object, message: string): void;
}

/** Sends one message after the other, no faster than Slack's limits allow. */
export interface Sender {
  /** The earliest time of the next attempt. */
  readyAt(): number;
  /** Makes no attempt for `ms` from now, whatever Slack answers. */
  pause(ms: number): void;
  /** Makes one attempt. If it returns `later`, readyAt says when to try again. */
  say(alert: Alert, signal: AbortSignal): Promise<Posted["kind"]>;
}

/** Slack accepts one message per second (docs.slack.dev/apis/web-api/rate-limits). */
const GAP_MS = 1000;
const FIRST_DELAY_MS = 1000;
const LONGEST_DELAY_MS = 300_000;

export function openSender(post: Post, log: SlackLog, clock: Clock): Sender {
  const complaints = new Set<string>();
  let lastPost = Number.NEGATIVE_INFINITY;
  let readyAt = Number.NEGATIVE_INFINITY;
  let failures = 0;

  /** Logs each reason once, because the same webhook may refuse for days in the same way. */
  function complain(reason: string, text: string): void {
    const complaint = `${text}: ${reason}`;
    if (complaints.has(complaint)) return;
    complaints.add(complaint);
    log.error({ reason }, text);
  }

  function wait({ afterMs, reason }: Extract<Posted, { kind: "later" }>): void {
    const delay = afterMs ?? Math.min(FIRST_DELAY_MS * 2 ** failures, LONGEST_DELAY_MS);
    failures += 1;
    readyAt = clock.now() + delay;
    log.warn({ reason, failures, again: `${Math.ceil(delay / 1000)} s` }, "Slack failed; alerts are delayed");
  }

  return {
    readyAt: () => readyAt,
    pause: (ms) => void (readyAt = clock.now() + ms),
    async say(alert, signal) {
      const gap = lastPost + GAP_MS - clock.now();
      if (gap > 0) await clock.sleep(gap, signal).catch(() => undefined); // if the sleep was aborted, so is the attempt
      if (signal.aborted) return "later";
      const message = messageOf(alert);
      let answer = await post(message, signal);
      if (answer.kind === "refused" && answer.payload) {
        complain(answer.reason, "Slack does not accept a message; only its title is sent");
        answer = await post({ text: message.text }, signal);
      }
      lastPost = clock.now();
      if (answer.kind === "later" && !signal.aborted) wait(answer);
      if (answer.kind !== "later") failures = 0;
      if (answer.kind === "refused") {
        complain(
          answer.reason,
          "Slack refuses alerts: set FIELDGATE_SLACK_WEBHOOK_URL to a working webhook and restart",
        );
      }
      return answer.kind;
    },
  };
}
