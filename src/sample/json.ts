import { isRecord, type Sample } from "./sample.ts";

/** Plain JSON, an event a line: longs with all their digits, bytes in base64. */
export function eventsJson(events: readonly Sample[]): string {
  return `[\n${events.map((event) => `  ${jsonText(event)}`).join(",\n")}\n]\n`;
}

function jsonText(value: Sample): string {
  if (typeof value === "bigint") return String(value);
  if (Buffer.isBuffer(value)) return JSON.stringify(value.toString("base64"));
  if (Array.isArray(value)) return `[${value.map(jsonText).join(",")}]`;
  if (!isRecord(value)) return JSON.stringify(value);
  return `{${Object.entries(value)
    .map(([name, of]) => `${JSON.stringify(name)}:${jsonText(of)}`)
    .join(",")}}`;
}
