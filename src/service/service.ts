import { createRequire } from "node:module";
import { setTimeout as sleep } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import type { Logger } from "pino";
import { createApi } from "./api.ts";
import { messageLog, openLog } from "./log.ts";
import { describeStop, openReportedStop } from "./reported-stop.ts";
import type { ConnectorConfig } from "../config/connector/connector-config.ts";
import { readConnectors } from "../config/connectors.ts";
import { readServiceConfig } from "../config/environment/service-config.ts";
import { openPlanDatabase } from "./plan-database.ts";
import { outsideOf, registryOf, settingsOf, sinkOf } from "./connector.ts";
import { type ControlTopics, openControlTopics } from "./control-topics.ts";
import { describeError, GuardError } from "../errors.ts";
import { describeAmendment, gateWord } from "../words/amendment.ts";
import { type GroupPoller, startGroupPoller } from "./group-poller.ts";
import type { Status } from "../guard/outside.ts";
import { retrying, type Retries } from "../guard/retrying.ts";
import { createWaits } from "../guard/waits.ts";
import { runConnector } from "../guard/start/run-connector.ts";
import { startHttp } from "../http/start-http.ts";
import { type Appender, openAppender } from "../kafka/append.ts";
import { type KafkaClient, kafkaClient } from "../kafka/client.ts";
import { liveGroups } from "../kafka/groups.ts";
import { findUnnamedGroups, type RunningConnector } from "./running.ts";
import { trackJobs } from "./progress.ts";
import { type Registry, registryClient } from "../registry/client.ts";
import type { Clock } from "../slack/clock.ts";
import { type Slack, startSlack, withoutSlack } from "../slack/start-slack.ts";
import { openWebhook } from "../slack/webhook.ts";
import { watchWaits } from "./watch-waits.ts";
import { renderReason } from "../words/reason.ts";
import { formatLsn, isoTime } from "../wal/lsn.ts";

/**
 * Runs one Fieldgate process: reads its configuration, opens what the connectors share (Kafka, the control topics, the
 * group poller, Slack, the HTTP API), and runs every connector until a signal or an error ends it.
 */

/** What all connectors of the process share. */
interface Service {
  readonly kafka: KafkaClient;
  readonly controlTopics: ControlTopics;
  readonly appender: Appender;
  readonly groups: GroupPoller;
  readonly slack: Slack | undefined;
  readonly log: Logger;
  readonly deployment: string;
  readonly version: string;
}

/** The parts that belong to one connector. */
interface OwnParts {
  readonly config: ConnectorConfig;
  readonly registry: Registry;
  readonly running: RunningConnector;
}

/**
 * Runs the service until the signal aborts or no connector is running. In the latter case it throws the first
 * connector's error. If a connector stops, the others and the HTTP API continue to run.
 */
export async function run(signal: AbortSignal): Promise<void> {
  // On a busy stream V8 would grow its young generation to 128 MB, a third of the process, without any gain in speed
  // (docs/decisions/0014). This keeps it at its initial size.
  setFlagsFromString("--semi-space-growth-factor=1");
  const config = readServiceConfig(process.env);
  const connectors = await readConnectors(config.connectorsDir, (name) => process.env[name]);
  const log = await openLog(config.logLevel, config.logFormat);
  for (const connector of connectors) for (const warning of connector.warnings) log.warn(warning);
  const version = String(createRequire(import.meta.url)("../../package.json").version);
  const kafka = kafkaClient({
    ...config.kafka,
    clientId: "fieldgate",
    deployment: config.deployment,
    log: (level, message) => log[level === "error" ? "warn" : "debug"](message),
  });
  const registry = registryClient(config.registry);
  await using stack = new AsyncDisposableStack();
  /** Aborts when the control topics can no longer be read. */
  const unreadable = new AbortController();
  const waiting = untilKafkaAnswers(log, signal);
  const onUnreadable = (error: GuardError) => unreadable.abort(error);
  const appender = stack.use(await retrying(() => openAppender(kafka), waiting));
  const openTopics = () => openControlTopics(kafka, config.deployment, messageLog(log), onUnreadable, appender);
  const controlTopics = stack.use(await retrying(openTopics, waiting));
  const poll = (topics: readonly string[]) => liveGroups(kafka, topics);
  const everyMs = Math.min(...connectors.map((connector) => connector["fieldgate.groups.look.ms"]));
  const groups = stack.use(startGroupPoller({ poll, everyMs, now: Date.now }));
  const own = connectors.map((connector): OwnParts => ({
    config: connector,
    registry: registryOf(connector, registry, config.registry.tls),
    running: startingConnector(log, connector),
  }));
  const planners = new Map(own.map((one) => [one.config.name, plannerOf(one)]));
  const all = {
    connectors: own.map(({ running }) => running),
    planners,
    controlTopics,
    lastPoll: () => groups.last(),
  };
  const groupsNotNamed = async (topic: string) => findUnnamedGroups(all, topic);
  const slack =
    config.slackWebhookUrl === undefined
      ? undefined
      : stack.use(startSlack({ post: openWebhook(config.slackWebhookUrl), log, groupsNotNamed, clock }));
  using ending = abortAfterFlush(signal, slack);
  const either = AbortSignal.any([ending.signal, unreadable.signal]);
  const service: Service = {
    kafka,
    controlTopics,
    appender,
    groups,
    slack,
    log,
    deployment: config.deployment,
    version,
  };
  const api = createApi({
    deployment: config.deployment,
    version,
    ...all,
    appender,
  });
  const http = await startHttp(api, { ...config.http, log });
  stack.defer(() => http.close());
  log.info({ url: http.url }, "listening");
  const results = await Promise.allSettled(own.map((one) => runOne(service, one, either)));
  // Nothing may be decided without contracts and commands, so the process ends and must be restarted.
  if (unreadable.signal.aborted) throw unreadable.signal.reason;
  const failed = results.find((result) => result.status === "rejected");
  if (failed !== undefined && !signal.aborted) throw failed.reason;
}

const clock: Clock = {
  now: Date.now,
  sleep: (ms, signal) => sleep(ms, undefined, { signal }),
};

function plannerOf({ config, registry }: OwnParts) {
  return { rules: config, registry, openDatabase: () => openPlanDatabase(config) };
}

/** Without the control topics nothing may be decided, so a start waits for Kafka, and says so. */
function untilKafkaAnswers(log: Logger, signal: AbortSignal): Retries {
  return {
    now: () => BigInt(Math.trunc(performance.now() * 1000)),
    sleep: (ms, until) => clock.sleep(ms, until),
    signal,
    delaysMs: [500, 1000, 2000, 5000],
    onRetry: (error) => log.warn(`waiting for Kafka: ${describeError(error)}`),
  };
}

/**
 * Returns a signal that aborts after the given one, once Slack has sent the pending alerts. Until then the connectors
 * can still record those alerts.
 */
function abortAfterFlush(signal: AbortSignal, slack: Slack | undefined): { readonly signal: AbortSignal } & Disposable {
  const ending = new AbortController();
  const end = async (): Promise<void> => {
    await slack?.flush();
    ending.abort(signal.reason);
  };
  const onAbort = (): void => void end();
  if (signal.aborted) onAbort();
  else signal.addEventListener("abort", onAbort, { once: true });
  return { signal: ending.signal, [Symbol.dispose]: () => signal.removeEventListener("abort", onAbort) };
}

function startingConnector(log: Logger, { name, mode, ...keys }: ConnectorConfig): RunningConnector {
  const publication = keys["publication.name"];
  const jobs = trackJobs(log.child({ connector: name }));
  const waits = createWaits(() => performance.now());
  return {
    name,
    mode,
    status: { kind: "starting" },
    state: undefined,
    publication,
    notCaptured: [],
    warnings: [],
    jobs,
    waits,
    causes: [],
    last: undefined,
  };
}

async function runOne(service: Service, { config, registry, running }: OwnParts, signal: AbortSignal): Promise<void> {
  const log = service.log.child({ connector: config.name });
  const settings = settingsOf(config, service.deployment, service.version);
  const sink = sinkOf(service.kafka, settings);
  const alerts =
    service.slack?.of(config.name, config.mode, openReportedStop(settings.stateTopic, sink, service.appender)) ??
    withoutSlack(() => new Date().toISOString());
  const outside = outsideOf(settings, service.kafka, {
    registry,
    controlTopics: service.controlTopics.of(config.name),
    groups: service.groups,
    log: messageLog(log),
    waits: running.waits,
    alert: (amendment, state) => {
      const { gate, id } = amendment;
      const what = describeAmendment(amendment);
      log.info(
        { amendment: id, gate: gate.kind },
        `${what} (${id}): ${gateWord(gate, config.mode)}: ${renderReason(gate.reason)}`,
      );
      alerts.alert(amendment, state);
    },
    onAlerted: alerts.onSent,
    notice: alerts.notice,
    stopped: (error, topic) => {
      log.error(describeError(error));
      alerts.stopped(describeStop(error, running.last?.endLsn, topic));
    },
    status: (status) => {
      updateStatus(running, status);
      if (status.kind === "streaming") alerts.state(status.state);
    },
  });
  using _watching = watchWaits(running, messageLog(log));
  try {
    await runConnector(outside, signal);
    // The process ends because of what all connectors share: the control topics can no longer be read.
    if (signal.reason instanceof GuardError) throw signal.reason;
  } catch (error) {
    log.error(describeError(error));
    alerts.stopped(describeStop(error, running.last?.endLsn));
    throw error;
  }
}

function updateStatus(running: RunningConnector, status: Status): void {
  running.status = status;
  if (status.kind === "stopped" && status.state !== undefined) running.state = status.state;
  if (status.kind !== "streaming") return;
  running.state = status.state;
  running.notCaptured = status.notCaptured;
  running.warnings = status.warnings;
  running.last = lastPosition(status);
  running.jobs.update(status.state.jobs.values(), Date.now());
}

function lastPosition(status: Extract<Status, { kind: "streaming" }>): RunningConnector["last"] {
  const { commitTime, endLsn } = status;
  const time = commitTime === undefined ? null : isoTime(commitTime);
  return { endLsn: formatLsn(endLsn), commitTime: time };
}
