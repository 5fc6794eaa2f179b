import { findJava } from "../../local/java.ts";
import { engineClassPath } from "./engine.ts";

/** Three Debeziums that start at once would fetch it three times into one repository of Maven. */
export default async function setup(): Promise<void> {
  await engineClassPath(await findJava());
}
