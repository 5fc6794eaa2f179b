/** How a command ends. `findings`: also a verdict `unknown` and a wait that ran out; `interrupted` and `terminated`: by Ctrl-C and SIGTERM. */
export const EXIT = { fine: 0, wrong: 1, findings: 100, interrupted: 130, terminated: 143 } as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];
