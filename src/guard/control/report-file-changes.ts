import { describeFileChange } from "../../words/file-change.ts";
import type { Parts } from "../session.ts";

/**
 * Reports what changed in the connector's file since the last run. A change is recorded as reported only after people
 * have been alerted, so a crash may repeat a report but never loses one.
 */
export function reportFileChanges({ control, outside, waker }: Parts<"control">): void {
  const { lastRun } = control;
  const changed = Object.entries(lastRun?.unreported ?? {});
  if (lastRun === undefined || changed.length === 0) return;
  const reports = changed.map(([key, was]) => {
    const { severity, what, next } = describeFileChange(key, was, lastRun.keys[key] ?? "");
    const line = next === undefined ? what : `${what}; next: ${next}`;
    if (severity === "warn") outside.log.warn(line);
    else outside.log.info(line);
    const id = `file/${key}/${was}/${lastRun.keys[key] ?? ""}`;
    // Only skipped operations leave rows out of the events, so only they are worth a warning.
    return outside.notice({
      id,
      about: "file-changed",
      severity: key === "skipped.operations" ? severity : "info",
      what,
      next,
    });
  });
  void Promise.all(reports).then(() => {
    control.lastRun = { ...lastRun, unreported: {} };
    waker.wake();
    return undefined;
  });
}
