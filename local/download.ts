import { renderDuration } from "../src/words/duration.ts";

/** Follows a download by Maven's output. */
export interface Fetching {
  /** Megabytes so far, including those of unfinished files. */
  megabytes(): number;
  /** Takes one line of output. Progress lines end with a carriage return, as each overwrites the one before. */
  read(line: string): void;
}

const MEGABYTES = new Map([
  ["B", 1e-6],
  ["kB", 1e-3],
  ["MB", 1],
  ["GB", 1e3],
]);

/** `4.1/11 MB` or `82 kB`: the first number is the amount so far. */
function amount(text: string): number {
  const [, value = "0", unit = "B"] = /^([\d.]+)(?:\/[\d.]+)? (B|kB|MB|GB)/.exec(text.trim()) ?? [];
  return Number(value) * (MEGABYTES.get(unit) ?? 0);
}

/** Reads `Progress (2): 1.0/3.8 MB | 0.5/2.0 MB` and `Downloaded from …/x.jar (284 kB at 187 kB/s)`. */
export function fetching(): Fetching {
  let done = 0;
  let underWay = 0;
  return {
    megabytes: () => done + underWay,
    read(line) {
      const [, progress] = /^Progress \(\d+\): (.*)/.exec(line) ?? [];
      if (progress !== undefined) underWay = progress.split("|").reduce((sum, part) => sum + amount(part), 0);
      const [, size] = /^(?:\[INFO\] )?Downloaded from \S+ \S+ \(([^)]*?)(?: at .*)?\)/.exec(line) ?? [];
      if (size === undefined) return;
      done += amount(size);
      underWay = Math.max(0, underWay - amount(size));
    },
  };
}

/** How often a line is printed if there is no terminal. */
const EVERY_MS = 5_000;

/** Shows the progress of a download on stderr: amount, estimated total, rate and time left. */
export function showDownload(name: string, estimateMb: number): { update(megabytes: number): void; stop(): void } {
  const { stderr } = process;
  const begun = performance.now();
  let due = begun + EVERY_MS;
  let last = "";
  return {
    update(megabytes) {
      const now = performance.now();
      last = downloadText(name, megabytes, estimateMb, (now - begun) / 1000);
      if (stderr.isTTY) stderr.write(`\r\x1b[K${last}`);
      else if (now >= due) {
        due = now + EVERY_MS;
        stderr.write(`${last}\n`);
      }
    },
    stop: () => void stderr.write(stderr.isTTY ? "\n" : `${last}\n`),
  };
}

/** `local stack: 39 of about 160 MB, 1.1 MB/s, 109 s left`. */
export function downloadText(name: string, megabytes: number, estimateMb: number, seconds: number): string {
  const rate = seconds > 0 ? megabytes / seconds : 0;
  const left = estimateMb - megabytes;
  const time = left > 0 && rate > 0.05 ? `, ${renderDuration((left / rate) * 1000)} left` : "";
  return `${name}: ${megabytes.toFixed(0)} of about ${estimateMb} MB, ${rate.toFixed(1)} MB/s${time}`;
}
