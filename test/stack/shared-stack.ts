import { type Stack, type StackOptions, startStack } from "../../local/stack.ts";

const SHARED = Symbol.for("fieldgate.test.stack");
const shared = globalThis as { [SHARED]?: { stack: Promise<Stack>; users: number } | undefined }; // only this file uses the symbol

export interface Share {
  readonly stack: Stack;
  /** The last one who leaves stops the stack. */
  leave(): Promise<void>;
}

/** One stack for all projects of a run, although the setup of each project, loaded anew, calls this. */
export async function shareStack(options: StackOptions): Promise<Share> {
  const use = (shared[SHARED] ??= { stack: startStack(options), users: 0 });
  use.users += 1;
  const stack = await use.stack;
  return {
    stack,
    async leave() {
      use.users -= 1;
      if (use.users === 0) await stack.stop();
    },
  };
}
