import { renderDuration } from "./duration.ts";

/** What keeps a connector from reading the log, for the log, the alerts and the API. */

interface WaitFor {
  readonly on: string;
  readonly what: string;
}

/** Worded to follow "it waits for". */
export function describeWait({ on, what }: WaitFor): string {
  return `${on}, ${what}`;
}

/** `causes`: the sessions that cause the wait, as one text each. */
export function describeStall(wait: WaitFor, causes: readonly string[]): string {
  return `it waits for ${describeWait(wait)}${heldUpBy(causes)}`;
}

export function heldUpBy(causes: readonly string[]): string {
  return causes.length === 0 ? "" : `, held up by ${causes.join("; ")}`;
}

export interface TroubleText {
  readonly kind: "retrying" | "stalled" | "stopped";
  readonly what: string;
  readonly next: string | undefined;
}

/** News for people about a trouble that has lasted for `ms`, without its full stop. */
export function troubleNews({ kind, what, next }: TroubleText, ms: number): { what: string; next: string } {
  const since = renderDuration(ms);
  switch (kind) {
    case "retrying":
      return {
        what: `for ${since} nothing has been published, because every attempt fails: ${what}`,
        next: next ?? "end what keeps it from working; it then continues by itself",
      };
    case "stalled":
      return {
        what: `${what}, for ${since} so far`,
        next: next ?? "end what holds it up; it then continues by itself",
      };
    case "stopped":
      return { what, next: next ?? "fix the cause and restart the service" };
    default:
      return kind satisfies never;
  }
}

/** News for people that a trouble is over after `ms`, without its full stop. */
export function overNews(kind: TroubleText["kind"], ms: number): string {
  const after = `after ${renderDuration(ms)}`;
  switch (kind) {
    case "retrying":
      return `it publishes again, ${after} of failed attempts`;
    case "stalled":
      return `it no longer waits, ${after}`;
    case "stopped":
      return `it publishes again, ${after} in which it was stopped`;
    default:
      return kind satisfies never;
  }
}
