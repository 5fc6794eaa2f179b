// node .ci/failures.js REPORTS STEP...: the steps that failed, and of vitest's JSON reports in the folder REPORTS each
// failed test, and each file of which no test failed but a hook.
import { readdirSync, readFileSync } from "node:fs";
import { basename, join, relative } from "node:path";
import { stripVTControlCharacters } from "node:util";

const LINES = 20;
const WIDTH = 500;
const [, , folder, ...steps] = process.argv;

function tell(place, message) {
  const lines = stripVTControlCharacters(message).split("\n").slice(0, LINES).map((line) => line.slice(0, WIDTH));
  console.log([`=== ${place}`, ...lines].join("\n    "));
}

for (const step of steps) console.log(`=== failed: ${step}`);
for (const name of readdirSync(folder)) {
  const { testResults } = JSON.parse(readFileSync(join(folder, name), "utf8"));
  for (const file of testResults) {
    const place = `${basename(name, ".json")}: ${relative(process.cwd(), file.name)}`;
    const failed = file.assertionResults.filter(({ status }) => status === "failed");
    for (const { fullName, failureMessages } of failed) tell(`${place}: ${fullName}`, failureMessages.join("\n"));
    if (file.status === "failed" && failed.length === 0) tell(place, file.message);
  }
}
