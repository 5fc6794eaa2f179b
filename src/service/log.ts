import { type DestinationStream, destination, type Logger, pino } from "pino";
import type { Log } from "../guard/outside.ts";
import { asOneEntry, mapTexts, visibleLines } from "../visible.ts";

/**
 * Opens the service's log on stdout. Without a format, it writes readable lines to a terminal, and otherwise one JSON
 * object per line. No text in it can act on a terminal, or look like a line of its own.
 */
export async function openLog(level: string, format: "json" | "pretty" | undefined): Promise<Logger> {
  const options = { level, name: "fieldgate" };
  const chosen = format ?? (process.stdout.isTTY ? "pretty" : "json");
  // Makes sure that the last line is written before the process ends.
  const out = destination({ dest: 1, sync: true });
  return pino(options, chosen === "json" ? jsonStream(out) : await prettyStream(out));
}

/** In JSON, the escapes do not change any text. */
export function jsonStream(out: DestinationStream): DestinationStream {
  return { write: (line) => out.write(visibleLines(line)) };
}

export async function prettyStream(out: DestinationStream): Promise<DestinationStream> {
  const { prettyFactory } = await import("pino-pretty");
  const pretty = prettyFactory({
    colorize: process.stdout.isTTY && !process.env["NO_COLOR"],
    translateTime: "SYS:HH:MM:ss",
    messageFormat: "{if connector}{connector}: {end}{msg}",
    // The message already contains the progress.
    ignore: "pid,hostname,name,connector,progress",
  });
  return { write: (line) => out.write(pretty(mapTexts(JSON.parse(line), asOneEntry))) };
}

/** A log that accepts only messages, without fields. */
export function messageLog(log: Logger): Log {
  return { info: (message) => log.info(message), warn: (message) => log.warn(message) };
}
