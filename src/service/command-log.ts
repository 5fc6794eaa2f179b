import type { OperatorCommand } from "../gate/state.ts";

interface Entry {
  readonly command: OperatorCommand;
  readonly offset: bigint;
}

/**
 * By connector: commands that were read and may still be needed. A command that its connector has recorded is dropped.
 */
export interface CommandLog {
  add(connector: string, entry: Entry): void;
  /** This connector's commands from an offset onward, in order. */
  from(connector: string, offset: bigint): readonly Entry[];
  /** The connector's state has recorded the outcome of every command before this offset, so they are dropped. */
  forget(connector: string, before: bigint): void;
}

export function commandLog(): CommandLog {
  const kept = new Map<string, Entry[]>();
  const from = (connector: string, offset: bigint) =>
    (kept.get(connector) ?? []).filter((entry) => entry.offset >= offset);
  return {
    add(connector, entry) {
      const entries = kept.get(connector);
      if (entries === undefined) kept.set(connector, [entry]);
      else entries.push(entry);
    },
    from,
    forget(connector, before) {
      const left = from(connector, before);
      if (left.length === 0) kept.delete(connector);
      else kept.set(connector, left);
    },
  };
}
