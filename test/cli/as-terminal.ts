/** Loaded before a command: its output then goes to a terminal of the width in this module's URL, as far as it can see. */
const columns = Number(new URL(import.meta.url).searchParams.get("columns"));
Object.assign(process.stdout, { isTTY: true, columns, hasColors: () => true });
