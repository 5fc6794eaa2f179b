import { findJava } from "../../local/java.ts";
import { engineClassPath } from "./engine.ts";

/** Downloads once, as three Debeziums starting together would each download into the same Maven repository. */
export default async function setup(): Promise<void> {
  await engineClassPath(await findJava());
}
