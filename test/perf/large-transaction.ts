/**
 * Sends one large transaction through the service, and measures the time and the service's peak memory (VmHWM, only on
 * Linux). Run `npm run perf:transaction [ROWS]`.
 */
import { until } from "../stack/until.ts";
import { consume, readPeakMb, scene } from "./scene.ts";

const rows = Number(process.argv[2] ?? 1_000_000);
const limitMb = 300;

await using world = await scene("create table t (id bigint primary key, a text, b int, at timestamptz)");
let events = 0;
await using _consumer = await consume(world, () => {
  events += 1;
});
const begun = performance.now();
await world.database.query(
  `insert into t select i, 'row ' || i, i % 1000, now() from generate_series(1, ${rows}) as i`,
);
const written = performance.now();
await until(() => events >= rows, `${rows} events are there`, 600_000);
const seconds = (performance.now() - written) / 1000;
const peakMb = await readPeakMb(world.service.pid);
console.log(`${rows} rows in one transaction, written in ${((written - begun) / 1000).toFixed(1)} s`);
console.log(`${events} events readable ${seconds.toFixed(1)} s after its commit, ${Math.round(rows / seconds)} rows/s`);
console.log(`peak RSS of the service ${peakMb.toFixed(0)} MB (under ${limitMb})`);
process.exitCode = events === rows && peakMb < limitMb ? 0 : 1;
