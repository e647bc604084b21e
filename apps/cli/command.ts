import type { ExitCode } from "./cli.ts";

/** Runs a command and keeps what it ended with. */
export type Run = (work: () => Promise<ExitCode>) => Promise<void>;

/** What a command's help ends with. */
export const examples = (...lines: readonly string[]): string =>
  `\nExamples:\n${lines.map((line) => `  ${line}`).join("\n")}`;
