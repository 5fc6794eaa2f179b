/**
 * How fast Fieldgate drains a slot, exactly once, beside a naive reader that throws the log away and, with --debezium,
 * beside Debezium. All drain the same log, one after the other, in an order that changes with each round; what counts is
 * the second half of each round, so that everybody is warm. Only the ratios of one run can be compared. A round in which
 * the topic does not have each row exactly once gives no figure: the run fails.
 *
 *   npm run bench -- [--quick] [--debezium] [--brokers 3] [--rounds 3] [--only narrow] [--json]
 */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { setTimeout as sleep } from "node:timers/promises";
import { type Stack, startStack } from "../../local/stack.ts";
import { freshDatabase } from "../stack/database.ts";
import { LSN_ZERO, parseLsn } from "../../src/wal/lsn.ts";
import { percentile, readPeakMb } from "../perf/scene.ts";
import { type Contender, type LogRange, openContender, type Scene } from "./contenders.ts";
import { verifyRound } from "./verify.ts";
import { procedureOf, type Workload, workloadsOf } from "./workloads.ts";

interface Figure {
  readonly rowsPerSecond: number;
  /** User and system time of the contender's process, in microseconds. */
  readonly cpuPerRow: number;
  readonly peakMb: number;
}

const { values: options } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    debezium: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
    brokers: { type: "string", default: "1" },
    rounds: { type: "string" },
    only: { type: "string", multiple: true },
  },
});
const rounds = Number(options.rounds ?? (options.quick ? 1 : 3));
const names: readonly Contender["name"][] = ["reader", "fieldgate", ...(options.debezium ? ["debezium" as const] : [])];
const workloads = workloadsOf(options.quick ? 0.25 : 1).filter(({ name }) => options.only?.includes(name) ?? true);
const say = (line: string): void => void process.stderr.write(`${line}\n`);

const folder = await mkdtemp(join(tmpdir(), "fieldgate-bench-"));
const results: { readonly workload: Workload; readonly medians: ReadonlyMap<Contender["name"], Figure> }[] = [];
try {
  await using stack = await startStack({
    brokers: options.brokers === "3" ? 3 : 1,
    kafkaJvmFlags: ["-XX:TieredStopAtLevel=4"],
  });
  for (const workload of workloads) results.push({ workload, medians: await compare(stack, workload) });
} finally {
  await rm(folder, { recursive: true });
}
console.log(options.json ? jsonOf() : tableOf());

/** Runs the rounds of one workload. */
async function compare(stack: Stack, workload: Workload): Promise<ReadonlyMap<Contender["name"], Figure>> {
  await using database = await freshDatabase(stack.postgres);
  const scene: Scene = { addresses: stack, database, folder };
  await database.query(workload.table);
  await database.query("CREATE PUBLICATION bench FOR TABLE t");
  await database.query(procedureOf(workload));
  await database.query("SET synchronous_commit = off");
  const contenders: { readonly contender: Contender; offset: bigint; readonly figures: Figure[] }[] = [];
  for (const name of names) contenders.push({ contender: await openContender(name, scene), offset: 0n, figures: [] });
  for (let round = 0; round < rounds; round++) {
    const first = workload.adds ? round * workload.rows + 1 : 1;
    const last = first + workload.rows - 1;
    const from = await logEnd(scene);
    await database.query(`CALL change(${first}, ${last}, ${round + 1})`);
    const log = { from, to: await logEnd(scene) };
    await database.query("CHECKPOINT");
    const turn = round % contenders.length;
    for (const one of [...contenders.slice(turn), ...contenders.slice(0, turn)]) {
      const figure = await drain(one.contender, workload.rows, log);
      one.offset = await verifyRound(scene, one.contender, one.offset, first, last);
      one.figures.push(figure);
      say(`${workload.name}, round ${round + 1}, ${one.contender.name}: ${textOf(figure)}`);
    }
  }
  return new Map(contenders.map(({ contender, figures }) => [contender.name, medianOf(figures)]));
}

async function logEnd({ database }: Scene): Promise<bigint> {
  const [row] = await database.query<{ at: string }>("SELECT pg_current_wal_insert_lsn() AS at");
  return parseLsn(row?.at ?? "") ?? LSN_ZERO;
}

/** The figure of the second half of a round. */
async function drain(contender: Contender, rows: number, log: LogRange): Promise<Figure> {
  await using running = await contender.start(rows, log);
  const limit = performance.now() + 300_000;
  let half: Mark | undefined;
  for (;;) {
    const done = await running.done();
    const at = performance.now();
    // PostgreSQL writes a little of its own at the end of the log, which Fieldgate passes seconds later.
    const isDone = done >= rows * 0.999;
    if (isDone || (half === undefined && done >= rows / 2)) {
      const mark = { done, at, cpu: await cpuOf(running.pid) };
      if (isDone) return figureOf(half ?? mark, mark, await readPeakMb(running.pid));
      half = mark;
    }
    if (at > limit) throw new Error(`${contender.name} has done ${done} of ${rows} rows in 5 minutes`);
    await sleep(10);
  }
}

interface Mark {
  readonly done: number;
  /** Milliseconds. */
  readonly at: number;
  /** Microseconds of processor time. */
  readonly cpu: number;
}

function figureOf(half: Mark, end: Mark, peakMb: number): Figure {
  const rows = end.done - half.done;
  return {
    rowsPerSecond: (rows / (end.at - half.at)) * 1000,
    cpuPerRow: (end.cpu - half.cpu) / rows,
    peakMb,
  };
}

/** Clock ticks are 10 ms on Linux. */
async function cpuOf(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * 10_000;
}

function medianOf(figures: readonly Figure[]): Figure {
  const median = (of: (figure: Figure) => number): number => percentile(figures.map(of), 0.5);
  return {
    rowsPerSecond: median(({ rowsPerSecond }) => rowsPerSecond),
    cpuPerRow: median(({ cpuPerRow }) => cpuPerRow),
    peakMb: median(({ peakMb }) => peakMb),
  };
}

function textOf({ rowsPerSecond, cpuPerRow, peakMb }: Figure): string {
  return `${Math.round(rowsPerSecond)} rows/s, ${cpuPerRow.toFixed(1)} µs of CPU a row, ${Math.round(peakMb)} MB`;
}

function jsonOf(): string {
  return JSON.stringify(
    results.map(({ workload: { name, rows }, medians }) => ({ workload: name, rows, ...Object.fromEntries(medians) })),
    undefined,
    2,
  );
}

/** Medians, with the rate as a ratio to the naive reader's. */
function tableOf(): string {
  const lines = results.flatMap(({ workload, medians }) => {
    const reader = medians.get("reader")?.rowsPerSecond ?? Number.NaN;
    const rows = [...medians].map(([name, figure]) => {
      const ratio = (figure.rowsPerSecond / reader).toFixed(2);
      return `| ${name} | ${Math.round(figure.rowsPerSecond)} | ${ratio} | ${figure.cpuPerRow.toFixed(1)} | ${Math.round(figure.peakMb)} |`;
    });
    return [
      "",
      `${workload.name}: ${workload.what}; ${workload.rows} rows, median of ${rounds}`,
      "| | rows/s | to the reader | CPU µs/row | peak RSS MB |",
      "|---|---|---|---|---|",
      ...rows,
    ];
  });
  return lines.slice(1).join("\n");
}
