/** How a command ends. `findings`: also a verdict `unknown` and a wait that ran out. */
export const EXIT = { fine: 0, wrong: 1, findings: 100, interrupted: 130 } as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];
