import type { Screen } from "../../screen.ts";
import type { Report } from "./report.ts";

interface Format {
  /** Loaded only when this format is requested. */
  readonly load: () => Promise<(report: Report, screen: Screen) => string>;
  /**
   * How fieldgate.yaml is named in places. `repository`: relative to the folder that contains `.git`, for tools that do
   * not know where the command ran. `folder`: relative to the folder in which it ran.
   */
  readonly paths: "repository" | "folder";
}

/** The output formats of `check`, by the names that buf uses. A new one is an entry here and a file next to this one. */
export const FORMATS = {
  text: { load: async () => (await import("./text.ts")).formatText, paths: "folder" },
  json: { load: async () => (await import("./json.ts")).formatJson, paths: "folder" },
  junit: { load: async () => (await import("./junit.ts")).formatJunit, paths: "repository" },
  sarif: { load: async () => (await import("./sarif.ts")).formatSarif, paths: "repository" },
  "github-actions": { load: async () => (await import("./github.ts")).formatGithub, paths: "repository" },
  "gitlab-code-quality": { load: async () => (await import("./gitlab.ts")).formatGitlab, paths: "repository" },
  markdown: { load: async () => (await import("./markdown.ts")).formatMarkdown, paths: "folder" },
} satisfies Readonly<Record<string, Format>>;

export type FormatName = keyof typeof FORMATS;
