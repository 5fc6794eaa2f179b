import type { Notice, Outside } from "./outside.ts";

/** Logs a warning and alerts people, in the same words. A warning with the same id reaches people only once. */
export function warnPeople({ log, notice }: Pick<Outside, "log" | "notice">, warning: Omit<Notice, "severity">): void {
  const { what, next } = warning;
  log.warn(next === undefined ? what : `${what}; next: ${next}`);
  void notice({ ...warning, severity: "warn" });
}

/** `content`: what the topic holds, and must not lose. */
export function warnOfDeletion(
  outside: Pick<Outside, "log" | "notice">,
  topic: string,
  policy: string,
  content: string,
): void {
  if (policy === "compact") return;
  const what = `topic ${topic} has cleanup.policy=${policy}, so Kafka may delete ${content}`;
  const next = `set cleanup.policy of ${topic} to compact`;
  warnPeople(outside, { id: `deletion/${topic}/${policy}`, about: "topics", what, next });
}
