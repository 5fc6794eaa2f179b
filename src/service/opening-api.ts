import type { Api } from "../api/api.ts";
import { healthOf } from "./health.ts";
import { stateNotRead } from "./find.ts";
import type { RunningConnector } from "./running.ts";
import { connectorView } from "./views.ts";
import { GuardError } from "../errors.ts";

/** An API that can be asked before the service has what it needs to answer. */
export interface OpeningApi extends Api {
  /** From now on, this API answers. */
  open(api: Api): void;
}

/**
 * The API of a service that is waiting for Kafka: it shows the connectors and their trouble, and answers everything else
 * with `starting`.
 */
export function openingApi({
  connectors,
  deployment,
  version,
}: {
  readonly connectors: readonly RunningConnector[];
  readonly deployment: string;
  readonly version: string;
}): OpeningApi {
  let opened: Api | undefined;
  const api = (): Api => {
    if (opened !== undefined) return opened;
    const [first] = connectors;
    throw first === undefined ? new GuardError("starting", "the service is starting") : stateNotRead(first);
  };
  return {
    open: (given) => void (opened = given),
    health: async () => healthOf({ connectors, deployment, version, isOpen: opened !== undefined }),
    connectors: async () => connectors.map((running) => connectorView(running, Date.now())),
    amendments: async (filter) => api().amendments(filter),
    amendment: async (id) => api().amendment(id),
    contracts: async () => api().contracts(),
    coverage: async (asked) => api().coverage(asked),
    publishContract: async (contract) => api().publishContract(contract),
    publishRollingOut: async (contract) => api().publishRollingOut(contract),
    retireContract: async (named) => api().retireContract(named),
    command: async (command, check) => api().command(command, check),
    outcome: async (id) => api().outcome(id),
    topic: async (name) => api().topic(name),
    plan: async (steps) => api().plan(steps),
  };
}
