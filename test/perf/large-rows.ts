/**
 * Reads a snapshot of rows of 700 kB each and then a change of 200 MB, and measures the service's peak memory (VmHWM, only
 * on Linux). Run `npm run perf:rows [ROWS]`.
 */
import { until } from "../stack/until.ts";
import { readPeakMb, scene } from "./scene.ts";

const rows = Number(process.argv[2] ?? 300);
const limitMb = 400;

const begun = performance.now();
await using world = await scene(
  `
  create table t (id int primary key, a text);
  insert into t select i, repeat('abcdefg', 100000) from generate_series(1, ${rows}) as i`,
  600_000,
);
const { database, service } = world;
const peakMb = () => readPeakMb(service.pid);
const afterSnapshot = await peakMb();
const seconds = (performance.now() - begun) / 1000;
console.log(
  `snapshot of ${rows} rows of 700 kB: ${seconds.toFixed(1)} s, peak RSS of the service ${afterSnapshot.toFixed(0)} MB`,
);
await database.query("update t set a = a || 'x' where id <= 100");
await database.query("insert into t values (0, repeat('x', 200000000))");
const parked = await until(
  async () => (await service.connector()).tables.find((table) => table.parked !== undefined)?.parked,
  "the row of 200 MB is refused",
  300_000,
);
const peak = await peakMb();
console.log(
  `100 changes of 700 kB and one of 200 MB (${parked.code}): peak RSS ${peak.toFixed(0)} MB (under ${limitMb})`,
);
process.exitCode = peak < limitMb ? 0 : 1;
