import { createPostgres, type PostgresAddress } from "../../local/postgres.ts";
import { startSupervisor } from "../../local/supervisor.ts";
import { ensureBinaries, type Major } from "./binaries.ts";

export interface VersionServer extends AsyncDisposable {
  readonly address: PostgresAddress;
}

/** Starts an empty server of a major version, with logical decoding. */
export async function startVersion(major: Major): Promise<VersionServer> {
  const native = await ensureBinaries(major);
  const supervisor = await startSupervisor();
  try {
    const prepared = await createPostgres(supervisor, [], native);
    await prepared.start();
    return { address: prepared.address, [Symbol.asyncDispose]: () => supervisor[Symbol.asyncDispose]() };
  } catch (error) {
    await supervisor[Symbol.asyncDispose]();
    throw error;
  }
}
