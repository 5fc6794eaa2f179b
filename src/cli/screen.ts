// By its default, because a Node.js that is too old has no `styleText`, and must still be able to load this file.
import util from "node:util";

import type { Environment } from "../config/environment/variables.ts";
import { renderDuration } from "../words/duration.ts";
import { visibleLines } from "../visible.ts";
import { foldLines } from "./fold.ts";

/**
 * How text for people is shown. On a terminal it has ages instead of times, is broken between words, and has colours.
 * In a file or a pipe it has none of these, so that programs can read its lines.
 */

export type Tone = "good" | "unsure" | "bad";

export interface Screen {
  /** The terminal's width; undefined if the output is not a terminal. */
  readonly columns: number | undefined;
  /** Colours the text if colours are on. */
  readonly paint: (tone: Tone, text: string) => string;
  /** `for 3 h` on a terminal, otherwise `since 2026-11-20T08:00:00Z`. */
  readonly since: (time: string) => string;
  /** Makes text safe for the output, where only our own colours may act, and folds it to the terminal's width. */
  readonly fold: (text: string) => string;
}

/** What is needed of a stream: `process.stdout` has it. */
export interface Output {
  readonly isTTY?: boolean;
  readonly columns?: number;
  hasColors?(env: object): boolean;
}

/** Some terminals report a width of 0. */
const USUAL_COLUMNS = 80;

const COLOURS = { good: "green", unsure: "yellow", bad: "red" } as const satisfies Record<
  Tone,
  "green" | "yellow" | "red"
>;

/** A coloured word, as styleText writes it. One that `paint` did not write is from outside, and is escaped. */
// oxlint-disable-next-line no-control-regex -- the escape character that starts a colour
const COLOURED = /(\u001b\[3[123]m[^\u001b]*\u001b\[39m)/;

export function openScreen(output: Output, env: Environment): Screen {
  const columns = output.isTTY === true ? output.columns || USUAL_COLUMNS : undefined;
  const isColoured = hasColours(output, env);
  const painted = new Set<string>();
  const paint = (tone: Tone, text: string) => {
    if (!isColoured) return text;
    const coloured = util.styleText(COLOURS[tone], text, { validateStream: false });
    painted.add(coloured);
    return coloured;
  };
  const escape = (text: string) =>
    text
      .split(COLOURED)
      .map((part) => (painted.has(part) ? part : visibleLines(part)))
      .join("");
  return {
    columns,
    paint,
    since: (time) => (columns === undefined ? `since ${time}` : ageText(time)),
    fold: (text) => (columns === undefined ? escape(text) : foldLines(escape(text), columns)),
  };
}

/** The output of a pipe or a file, without colours. */
export const PIPE = openScreen({}, {});

/** NO_COLOR decides before FORCE_COLOR, as in Commander's help. */
function hasColours(output: Output, env: Environment): boolean {
  const { NO_COLOR: none, FORCE_COLOR: force } = env;
  if (none !== undefined || force === "0" || force === "false") return false;
  return force !== undefined || (output.isTTY === true && output.hasColors?.(env) === true);
}

function ageText(time: string): string {
  const ms = Date.now() - Date.parse(time);
  return Number.isNaN(ms) ? `since ${time}` : `for ${renderDuration(ms)}`;
}
