export type Tool = "ffmpeg" | "chromium" | "xmllint";

/** Where a program is on PATH, or undefined. */
export function findOnPath(name: string, env?: NodeJS.ProcessEnv): string | undefined;
/** Where a tool is, or undefined; throws where its variable names something that is not a program. */
export function findTool(tool: Tool, env?: NodeJS.ProcessEnv): string | undefined;
/** What a person types to install a tool on this system, or undefined when we do not know it. */
export function installCommand(
  tool: Tool,
  system: {
    readonly platform: string;
    readonly distro: readonly string[];
    readonly has: (program: string) => boolean;
    readonly isRoot: boolean;
  },
): string | undefined;
/** The distribution and its relatives, such as ["ubuntu", "debian"]. */
export function distribution(): string[];
