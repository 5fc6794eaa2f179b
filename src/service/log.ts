import { type DestinationStream, type Logger, pino } from "pino";
import type { Log } from "../guard/outside.ts";

/**
 * Opens the service's log on stdout. Without a format, it writes readable lines to a terminal, and otherwise one JSON
 * object per line.
 */
export async function openLog(level: string, format: "json" | "pretty" | undefined): Promise<Logger> {
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
    // The message already contains the progress.
    ignore: "pid,hostname,name,connector,progress",
    // Makes sure that the last line is written before the process ends.
    sync: true,
  });
}

/** A log that accepts only messages, without fields. */
export function messageLog(log: Logger): Log {
  return { info: (message) => log.info(message), warn: (message) => log.warn(message) };
}
