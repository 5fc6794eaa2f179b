import { visibleIn } from "../../visible.ts";
import { messageText } from "../../finding.ts";
import type { Answer, CanRelease } from "../json-output.ts";
import { cell, code, markdownTable } from "../markdown.ts";
import { sharedMarkdown, shareRemedies } from "../remedies.ts";

/** Renders a comment on a pull request: every field, then the consumers that are not ready and what to do. */
export function releaseMarkdown(given: CanRelease): string {
  const { amendments: answers, troubled, canRelease } = visibleIn(given);
  const remedies = shareRemedies(answers.flatMap(({ notReady }) => notReady.flatMap(({ findings }) => findings)));
  const waiting = answers.flatMap(({ field, notReady }) =>
    notReady.flatMap(({ consumer, environment, verdict, findings }) =>
      findings.map((finding) => [
        code(field),
        `${code(consumer)} (${cell(environment)})`,
        cell(verdict),
        cell(messageText(finding)),
        cell(remedies.ownOf(finding) ?? ""),
      ]),
    ),
  );
  const notAsked = [...new Set(answers.flatMap((answer) => answer.notAsked))];
  return [
    `### fieldgate can-i-release: ${canRelease ? "yes" : "no"}`,
    ...troubled.flatMap(({ connector, status, what }) => [
      "",
      `Connector ${code(connector)} is ${status}: ${cell(what)}`,
    ]),
    ...(answers.length === 0 && troubled.length === 0 ? ["", "Nothing is withheld."] : []),
    ...(answers.length === 0 ? [] : markdownTable(["field", "amendment", "answer", "why"], answers.map(row))),
    ...(waiting.length === 0 ? [] : markdownTable(["field", "consumer", "verdict", "finding", "what to do"], waiting)),
    ...sharedMarkdown(remedies),
    ...(notAsked.length === 0
      ? []
      : ["", `Groups that no contract names (not waited for): ${notAsked.map(code).join(", ")}`]),
  ].join("\n");
}

function row({ field, id, answer, why }: Answer): readonly string[] {
  return [code(field), code(id), answer, cell(why)];
}
