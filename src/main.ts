import { createRequire } from "node:module";
import { setFlagsFromString } from "node:v8";
import type { Logger } from "pino";
import { serviceApi } from "./api.ts";
import { type ConnectorConfig, readConnectors, readServiceConfig } from "./config.ts";
import { outsideOf, settingsOf } from "./connector.ts";
import { type OpenDesk, openDesk } from "./desk.ts";
import { describeError, GuardError } from "./errors.ts";
import type { Amendment, Told } from "./gate/amendment.ts";
import { describeAmendment } from "./gate/describe.ts";
import { tellText } from "./gate/settle.ts";
import type { State } from "./gate/state.ts";
import type { Status } from "./guard/outside.ts";
import { runConnector } from "./guard/run.ts";
import { startHttp } from "./http/start-http.ts";
import { openAppender } from "./kafka/append.ts";
import { type KafkaClient, kafkaClient } from "./kafka/client.ts";
import { liveGroups } from "./kafka/groups.ts";
import { openLog } from "./log.ts";
import { watchJobs } from "./progress.ts";
import { type Registry, registryClient } from "./registry/client.ts";
import { type Slack, startSlack } from "./slack/start-slack.ts";
import { alertOf, lastOf, type Running } from "./view.ts";

/** What all connectors of the process share. */
interface Service {
  readonly kafka: KafkaClient;
  readonly registry: Registry;
  readonly desk: OpenDesk;
  readonly slack: Slack | undefined;
  readonly log: Logger;
  readonly deployment: string;
  readonly version: string;
}

/**
 * Runs the service until the signal aborts, or until no connector runs any more: then the first one's error is
 * thrown. A connector that stops leaves the others and the HTTP API running.
 */
export async function run(signal: AbortSignal): Promise<void> {
  // A busy stream lets V8 grow its young generation to 128 MB, which made up a third of the process and bought no
  // speed (docs/decisions/0014). It keeps the size it starts with.
  setFlagsFromString("--semi-space-growth-factor=1");
  const config = readServiceConfig(process.env);
  const connectors = await readConnectors(config.connectorsDir, (name) => process.env[name]);
  const log = await openLog(config.logLevel, config.logFormat);
  for (const connector of connectors) for (const warning of connector.warnings) log.warn(warning);
  const version = String(createRequire(import.meta.url)("../package.json").version);
  const kafka = kafkaClient({
    brokers: config.kafka.brokers,
    ssl: config.kafka.tls,
    sasl: config.kafka.sasl,
    clientId: "fieldgate",
    deployment: config.deployment,
    log: (level, message) => log[level === "error" ? "warn" : "debug"](message),
  });
  const registry = registryClient(config.registry);
  await using stack = new AsyncDisposableStack();
  const slack =
    config.slackWebhookUrl === undefined
      ? undefined
      : stack.use(startSlack({ webhookUrl: config.slackWebhookUrl, log }));
  const deaf = new AbortController();
  const either = AbortSignal.any([signal, deaf.signal]);
  const desk = stack.use(await openDesk(kafka, config.deployment, plainLog(log), (error) => deaf.abort(error)));
  const appender = stack.use(await openAppender(kafka));
  const service: Service = { kafka, registry, desk, slack, log, deployment: config.deployment, version };
  const running = connectors.map(({ name }): Running => idle(log, name));
  const groupsNotNamed = (topic: string) => unnamedGroups(service, topic);
  const api = serviceApi({
    deployment: config.deployment,
    version,
    connectors: running,
    desk,
    appender,
    groupsNotNamed,
  });
  const http = await startHttp(api, { ...config.http, log });
  stack.defer(() => http.close());
  log.info({ url: http.url }, "listening");
  const results = await Promise.allSettled(
    connectors.map((connector, index) =>
      runOne(service, connector, running[index] ?? idle(log, connector.name), either),
    ),
  );
  // Without contracts and commands nothing may be decided: the process ends, to be started again.
  if (deaf.signal.aborted) throw deaf.signal.reason;
  const failed = results.find((result) => result.status === "rejected");
  if (failed !== undefined && !signal.aborted) throw failed.reason;
}

function idle(log: Logger, name: string): Running {
  const jobs = watchJobs(log.child({ connector: name }));
  return { name, status: { kind: "starting" }, state: undefined, jobs, last: undefined };
}

async function runOne(service: Service, config: ConnectorConfig, running: Running, signal: AbortSignal): Promise<void> {
  const log = service.log.child({ connector: config.name });
  let hear: ((told: Told) => void) | undefined;
  const outside = outsideOf(settingsOf(config, service.deployment, service.version), config, service.kafka, {
    registry: service.registry,
    desk: service.desk.of(config.name),
    log: plainLog(log),
    tell: (amendment, state) => {
      tell(service, running, amendment, state);
      const told = { id: amendment.id, text: tellText(amendment), time: new Date().toISOString(), reminders: 0 };
      queueMicrotask(() => hear?.(told));
    },
    onTold: (then) => (hear = then),
    status: (status) => note(running, status),
  });
  try {
    await runConnector(outside, signal);
  } catch (error) {
    log.error(describeError(error));
    service.slack?.send(stoppedAlert(running, error));
    throw error;
  }
}

function note(running: Running, status: Status): void {
  running.status = status;
  if (status.kind !== "streaming") return;
  running.state = status.state;
  running.last = lastOf(status);
  running.jobs.note(status.state.jobs.values(), Date.now());
}

/** Looking for groups takes a while: the alert goes out after it, the stream does not wait. */
function tell(service: Service, running: Running, amendment: Amendment, state: State): void {
  const { gate, id } = amendment;
  service.log.info(
    { amendment: id, gate: gate.kind },
    `${describeAmendment(amendment)} (${id}): ${gate.kind}: ${gate.why}`,
  );
  unnamedGroups(service, amendment.topic)
    .then((groups) => service.slack?.send(alertOf(running, amendment, state, groups)))
    .catch((error: unknown) => service.log.warn(describeError(error)));
}

async function unnamedGroups(service: Service, topic: string): Promise<readonly string[]> {
  const seen = await liveGroups(service.kafka, [topic]);
  if (seen.kind === "unknown") return [];
  const contracts = [...service.desk.contracts().values()].filter((contract) => contract.topic === topic);
  const named = new Set(contracts.flatMap((contract) => [contract.consumer, ...(contract.groups ?? [])]));
  return (seen.byTopic.get(topic) ?? []).map(({ group }) => group).filter((group) => !named.has(group));
}

function stoppedAlert(running: Running, error: unknown) {
  const known = error instanceof GuardError ? error : undefined;
  return {
    kind: "stopped" as const,
    connector: running.name,
    code: known?.code ?? "unknown",
    message: known?.message ?? "an error that Fieldgate does not know: see its log",
    next: known?.next,
    position: running.last?.endLsn,
  };
}

function plainLog(log: Logger) {
  return { info: (message: string) => log.info(message), warn: (message: string) => log.warn(message) };
}
