import type { Health } from "../api/api.ts";
import type { RunningConnector } from "./running.ts";
import { type Trouble, troubleOf } from "./trouble.ts";
import { waitView } from "./views.ts";

/** The health of the process. It can be read without a token, so it names neither tables nor sessions. */

export interface HealthParts {
  readonly connectors: readonly RunningConnector[];
  readonly deployment: string;
  readonly version: string;
  /** False while the service waits for Kafka, and therefore takes neither contracts nor commands. */
  readonly isOpen: boolean;
}

export function healthOf({ connectors, deployment, version, isOpen }: HealthParts): Health {
  const now = performance.now();
  const troubled = connectors.flatMap((running) => {
    const trouble = troubleOf(running, now);
    return trouble === undefined ? [] : [{ running, trouble }];
  });
  return {
    status: statusOf(
      connectors,
      troubled.map(({ trouble }) => trouble),
    ),
    ready: isOpen && connectors.every((running) => !isStarting(running)),
    deployment,
    version,
    ...some(
      "troubled",
      troubled.map(({ running, trouble }) => troubledOf(running, trouble, now)),
    ),
    ...some("parked", connectors.flatMap(parkedOf)),
    ...some("waiting", connectors.flatMap(waitingOf)),
  };
}

/** The worst that is the matter with any connector. */
function statusOf(connectors: readonly RunningConnector[], troubles: readonly Trouble[]): Health["status"] {
  const worst = (["stopped", "retrying", "stalled"] as const).find((kind) =>
    troubles.some((trouble) => trouble.kind === kind),
  );
  if (worst !== undefined) return worst;
  return connectors.every(({ state }) => state !== undefined) ? "ok" : "starting";
}

/** One connector whose database does not answer must not keep the API from serving the others. */
function isStarting({ state, status, failing }: RunningConnector): boolean {
  return state === undefined && failing === undefined && status.kind !== "stopped";
}

function troubledOf({ name }: RunningConnector, { kind, code, since }: Trouble, now: number) {
  return { connector: name, status: kind, code: code ?? null, seconds: Math.floor((now - since) / 1000) };
}

function parkedOf({ name, state }: RunningConnector): NonNullable<Health["parked"]> {
  const tables = [...(state?.tables.values() ?? [])].filter((table) => table.parked !== undefined).length;
  return tables === 0 ? [] : [{ connector: name, tables }];
}

function waitingOf(running: RunningConnector): NonNullable<Health["waiting"]> {
  const wait = waitView(running, Date.now());
  return wait === undefined ? [] : [{ connector: running.name, for: wait.on, seconds: wait.seconds }];
}

/** The list under its name; nothing if it is empty. */
function some<Name extends string, T>(name: Name, list: readonly T[]): { readonly [key in Name]?: readonly T[] } {
  return list.length === 0 ? {} : ({ [name]: list } as { readonly [key in Name]: readonly T[] }); // a computed key loses its name
}
