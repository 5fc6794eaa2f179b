import { rm } from "node:fs/promises";
import { dirname } from "node:path";
import type { TestProject } from "vitest/node";
import { pack } from "./install.ts";

declare module "vitest" {
  export interface ProvidedContext {
    /** The path of the tarball. */
    readonly tarball: string;
  }
}

/** Packs once for all files, because two at the same time would build into the same dist/. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const tarball = await pack();
  project.provide("tarball", tarball);
  return () => rm(dirname(tarball), { recursive: true });
}
