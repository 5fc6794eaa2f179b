/**
 * Renders a duration, rounded, in the unit that reads best: `20 s`, `5 min`, `3 h`, `2 days`. A unit is used for
 * durations of at least two of it.
 */
export function renderDuration(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  return seconds < 172_800 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86_400)} days`;
}
