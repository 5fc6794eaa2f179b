/** Are the servers child processes of ours? Only then can tests check them as processes. */
export const localStack = (process.env["FIELDGATE_STACK"] ?? "local") === "local";
