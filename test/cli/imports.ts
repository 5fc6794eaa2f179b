import { readFileSync } from "node:fs";

/** Packages loaded by a source file and its imports, without type imports. Does not follow files that match `except`. */
export function packagesLoadedBy(path: string, except?: RegExp): readonly string[] {
  const seen = new Set<string>();
  const visit = (file: URL): void => {
    if (seen.has(file.href)) return;
    seen.add(file.href);
    const text = readFileSync(file, "utf8").replaceAll(/^import type [^;]*;/gm, "");
    const names = [...text.matchAll(/(?:^import [^;]*?|\bimport\(|^export [^;]*? from )"([^"]+)"/gm)].map(
      ([, name]) => name ?? "",
    );
    for (const name of names) {
      if (!name.startsWith(".")) seen.add(name);
      else if (except?.test(name) !== true) visit(new URL(name, file));
    }
  };
  visit(new URL(`../../src/${path}`, import.meta.url));
  return [...seen].filter((name) => !name.startsWith("file:") && !name.startsWith("node:")).sort();
}
