import type { Logger } from "pino";
import type { ConnectorConfig } from "../config/connector/connector-config.ts";
import { describeError, GuardError } from "../errors.ts";
import type { Outside, Status } from "../guard/outside.ts";
import { runConnector } from "../guard/start/run-connector.ts";
import { createWaits } from "../guard/waits.ts";
import type { Appender } from "../kafka/append.ts";
import type { KafkaClient } from "../kafka/client.ts";
import type { Registry } from "../registry/client.ts";
import { type ConnectorAlerts, type Slack, withoutSlack } from "../slack/start-slack.ts";
import { formatLsn, isoTime } from "../wal/lsn.ts";
import { describeAmendment, gateWord } from "../words/amendment.ts";
import { renderReason } from "../words/reason.ts";
import { outsideOf, settingsOf, sinkOf } from "./connector.ts";
import type { ControlTopics } from "./control-topics.ts";
import type { GroupPoller } from "./group-poller.ts";
import { messageLog } from "./log.ts";
import { trackJobs } from "./progress.ts";
import { describeStop, openReportedStop } from "./reported-stop.ts";
import { openReportedFit } from "./reported-fit.ts";
import { currentStateOf, type RunningConnector, type RunningConnectors } from "./running.ts";
import { noteStatus } from "./trouble.ts";
import { watchFit } from "./watch-fit.ts";
import { lookAtSlot, watchSlot } from "./watch-slot.ts";
import { watchTrouble } from "./watch-trouble.ts";
import { watchWaits } from "./watch-waits.ts";

/**
 * One connector of the process: what belongs to it alone, what it reports to people, and its run from the first session
 * to the end.
 */

/** What all connectors of the process share. */
export interface Service {
  readonly kafka: KafkaClient;
  readonly log: Logger;
  readonly deployment: string;
  readonly version: string;
}

/** What all connectors share once Kafka has answered. */
export interface Shared {
  readonly controlTopics: ControlTopics;
  readonly groups: GroupPoller;
  readonly appender: Appender;
  readonly all: RunningConnectors;
}

/** The parts that belong to one connector. */
export interface OwnParts extends Disposable {
  readonly config: ConnectorConfig;
  readonly registry: Registry;
  readonly running: RunningConnector;
  readonly alerts: ConnectorAlerts;
}

/** Starts to watch a connector, before there is a session. `appender` is undefined until Kafka has answered. */
export function startOwn(
  service: Service,
  config: ConnectorConfig,
  registry: Registry,
  slack: Slack | undefined,
  appender: () => Appender | undefined,
): OwnParts {
  const log = messageLog(service.log.child({ connector: config.name }));
  const settings = settingsOf(config, service.deployment, service.version);
  const memory = openReportedStop(settings.stateTopic, sinkOf(service.kafka, settings), appender);
  const alerts = slack?.of(config.name, config.mode, memory) ?? withoutSlack(() => new Date().toISOString());
  const running = startingConnector(service.log, config);
  const watching = watchTrouble(running, {
    log,
    now: () => performance.now(),
    works: alerts.works,
    alert(notice, publishes) {
      alerts.publishes(publishes);
      void alerts.notice(notice);
    },
  });
  const waits = watchWaits(running, log);
  const slot = watchSlot(config["slot.name"], {
    log,
    alert: (notice) => void alerts.notice(notice),
    room: () => lookAtSlot(config),
  });
  return {
    config,
    registry,
    running,
    alerts,
    [Symbol.dispose]() {
      watching[Symbol.dispose]();
      waits[Symbol.dispose]();
      slot[Symbol.dispose]();
    },
  };
}

function startingConnector(log: Logger, { name, mode, filter, ...keys }: ConnectorConfig): RunningConnector {
  return {
    name,
    mode,
    status: { kind: "starting" },
    state: undefined,
    publication: keys["publication.name"],
    filter,
    notCaptured: [],
    warnings: [],
    jobs: trackJobs(log.child({ connector: name })),
    waits: createWaits(() => performance.now()),
    causes: [],
    failing: undefined,
    stoppedAt: undefined,
    streamingSince: undefined,
    last: undefined,
  };
}

/** Runs the connector until the signal aborts, or until an error that only a person can resolve, which is thrown. */
export async function runOne(
  service: Service,
  { controlTopics, groups, appender, all }: Shared,
  { config, registry, running, alerts }: OwnParts,
  signal: AbortSignal,
): Promise<void> {
  const log = service.log.child({ connector: config.name });
  const settings = settingsOf(config, service.deployment, service.version);
  const outside: Outside = outsideOf(settings, service.kafka, {
    registry,
    controlTopics: controlTopics.of(config.name),
    groups,
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
      noteStatusOf(running, status);
      if (status.kind === "streaming") alerts.state(status.state);
    },
  });
  using _fit = watchFit({
    current: () => (running.status.kind === "streaming" ? currentStateOf(all, running) : undefined),
    log: messageLog(log),
    alert: alerts.notice,
    memory: openReportedFit(settings.stateTopic, outside.sink, appender),
    now: Date.now,
  });
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

/** Notes the connector's new status, and the state that comes with it. */
export function noteStatusOf(running: RunningConnector, status: Status): void {
  running.status = status;
  noteStatus(running, status, performance.now());
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
