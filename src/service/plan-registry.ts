import { GuardError } from "../errors.ts";
import type { Registry } from "../registry/client.ts";

/** The registry, except that a check or a level that has not been answered before the deadline is `registry-down`. */
export function inTime(registry: Registry, deadline: AbortSignal): Registry {
  return {
    ...registry,
    check: (subject, text) => before(deadline, () => registry.check(subject, text)),
    level: (subject) => before(deadline, () => registry.level(subject)),
  };
}

function late(): GuardError {
  return new GuardError("registry-down", "the registry has not answered in time");
}

async function before<Answer>(deadline: AbortSignal, ask: () => Promise<Answer>): Promise<Answer> {
  if (deadline.aborted) throw late();
  const { promise, reject } = Promise.withResolvers<never>();
  const onLate = () => reject(late());
  deadline.addEventListener("abort", onLate, { once: true });
  try {
    return await Promise.race([ask(), promise]);
  } finally {
    deadline.removeEventListener("abort", onLate);
  }
}

/** Asks for each subject's level once. */
export function levelsOnce(registry: Registry): Registry {
  const levels = new Map<string, ReturnType<Registry["level"]>>();
  return {
    ...registry,
    level(subject) {
      const asked = levels.get(subject) ?? registry.level(subject);
      levels.set(subject, asked);
      return asked;
    },
  };
}
