import type { ExitCode } from "./cli.ts";

/** Runs a command and keeps what it ended with. */
export type Run = (work: () => Promise<ExitCode>) => Promise<void>;

/** The examples below a command's help. */
export const examples = (...lines: readonly string[]): string =>
  `\nExamples:\n${lines.map((line) => `  ${line}`).join("\n")}`;
