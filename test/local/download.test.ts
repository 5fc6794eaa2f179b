import { expect, test } from "vitest";
import { downloadText, fetching } from "../../local/download.ts";

test("Maven's downloads are counted, including unfinished files", () => {
  const progress = fetching();
  const after = (line: string) => {
    progress.read(line);
    return Number(progress.megabytes().toFixed(3));
  };
  expect(
    [
      "[INFO] Scanning for projects...",
      "Downloading from central: https://example.org/a/kafka.jar",
      "Progress (2): 4.1/11 MB | 500/800 kB",
      "Progress (2): 11 MB | 82 kB   ",
      "Downloaded from central: https://example.org/a/kafka.jar (11 MB at 5.0 MB/s)",
      "Progress (1): 0.5/109 MB",
      "[INFO] Downloaded from central: https://example.org/a/small.pom (900 B at 1.2 kB/s)",
    ].map(after),
  ).toEqual([0, 0, 4.6, 11.082, 11.082, 11.5, 11.5]);
});

test.each([
  [39, 35, "local stack: 39 of about 160 MB, 1.1 MB/s, 109 s left"],
  [0, 0, "local stack: 0 of about 160 MB, 0.0 MB/s"],
  [161, 60, "local stack: 161 of about 160 MB, 2.7 MB/s"],
])("%i MB after %i s are shown with what is known", (megabytes, seconds, text) => {
  expect(downloadText("local stack", megabytes, 160, seconds)).toBe(text);
});
