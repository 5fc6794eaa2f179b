import type { Notice, Outside } from "./outside.ts";

/** Logs a warning and alerts people, in the same words. A warning with the same id reaches people only once. */
export function warnPeople({ log, notice }: Pick<Outside, "log" | "notice">, warning: Omit<Notice, "severity">): void {
  const { what, next } = warning;
  log.warn(next === undefined ? what : `${what}; next: ${next}`);
  void notice({ ...warning, severity: "warn" });
}
