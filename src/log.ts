import { type DestinationStream, type Logger, pino } from "pino";

export type LogFormat = "json" | "pretty";

/**
 * The service's logger, to stdout: a JSON object a line, or lines for people. Without a format: for people on a
 * terminal, else JSON. What only JSON is for is loaded in no other case.
 */
export async function openLog(level: string, format: LogFormat | undefined): Promise<Logger> {
  const options = { level, name: "fieldgate" };
  const chosen = format ?? (process.stdout.isTTY ? "pretty" : "json");
  return chosen === "json" ? pino(options) : pino(options, await prettyStream());
}

async function prettyStream(): Promise<DestinationStream> {
  const { build } = await import("pino-pretty");
  return build({
    colorize: process.stdout.isTTY && !process.env["NO_COLOR"],
    translateTime: "SYS:HH:MM:ss",
    messageFormat: "{if connector}{connector}: {end}{msg}",
    // Its text says it already.
    ignore: "pid,hostname,name,connector,progress",
    // A last line is written before the process ends.
    sync: true,
  });
}
