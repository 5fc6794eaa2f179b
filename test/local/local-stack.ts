/** Whether servers are processes below ours: what is said about those is tried with the local stack only. */
export const localStack = (process.env["FIELDGATE_STACK"] ?? "local") === "local";
