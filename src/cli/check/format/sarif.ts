import { type Annotation, annotationsOf, fingerprintsOf } from "./annotation.ts";
import type { Report } from "./report.ts";

/** SARIF 2.1.0 (OASIS), with the locations, rules and partial fingerprints that GitHub's code scanning requires. */
export function formatSarif(report: Report): string {
  const annotations = annotationsOf(report);
  const prints = fingerprintsOf(annotations);
  const rules = [...new Set(annotations.map(({ rule }) => rule))].toSorted();
  const log = {
    $schema: "https://json.schemastore.org/sarif-2.1.0.json",
    version: "2.1.0",
    runs: [
      {
        tool: { driver: { name: "fieldgate", rules: rules.map((id) => ({ id, shortDescription: { text: id } })) } },
        columnKind: "utf16CodeUnits",
        results: annotations.map((one, at) => renderResult(one, rules.indexOf(one.rule), prints[at] ?? "")),
        ...(report.note === undefined ? {} : { properties: { note: report.note } }),
      },
    ],
  };
  return JSON.stringify(log, null, 2);
}

function renderResult(
  { level, rule, place, message, remedy, topic }: Annotation,
  ruleIndex: number,
  print: string,
): object {
  return {
    ruleId: rule,
    ruleIndex,
    level,
    message: { text: remedy === undefined ? message : `${message}\n${remedy}` },
    locations: [
      {
        physicalLocation: {
          artifactLocation: { uri: place.file.split(/[\\/]/).map(encodeURIComponent).join("/") },
          region: { startLine: place.line, startColumn: place.column },
        },
        ...(topic === undefined ? {} : { logicalLocations: [{ fullyQualifiedName: topic, kind: "resource" }] }),
      },
    ],
    partialFingerprints: { "fieldgate/v1": print },
  };
}
