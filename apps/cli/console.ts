import { spawn } from "node:child_process";
import type { Cli, ExitCode } from "./cli.ts";

/** The first time, pages are built, which takes a while on a small machine. */
const DEADLINE_MS = 300_000;
const SLOW_MS = 1_500;

/** `marquee console`: a link that lets one browser in, once, and the browser where there is one to see. */
export async function openConsole(
  cli: Cli,
  { browser, json }: { readonly browser: boolean; readonly json: boolean },
): Promise<ExitCode> {
  const slow = setTimeout(() => cli.terminal.note("the pages are built for the first time …"), SLOW_MS);
  const link = await cli.client.consoleLink({ deadlineMs: DEADLINE_MS }).finally(() => clearTimeout(slow));
  if (json) {
    cli.terminal.out(JSON.stringify(link));
    return 0;
  }
  cli.terminal.out(link.url);
  cli.terminal.note(
    "The link works once, within a minute, in a browser of this machine. Whoever has it can do all that the pages can.",
  );
  const program = browser && cli.terminal.canAsk ? browserProgram(process.platform, process.env) : undefined;
  if (program) open(program, link.url);
  return 0;
}

/** What opens an address in the person's browser; undefined where no screen would show it. */
export function browserProgram(
  platform: NodeJS.Platform,
  env: Readonly<Record<string, string | undefined>>,
): readonly [command: string, ...first: string[]] | undefined {
  if (platform === "darwin") return ["open"];
  if (platform === "win32") return ["rundll32", "url.dll,FileProtocolHandler"];
  return env["DISPLAY"] || env["WAYLAND_DISPLAY"] ? ["xdg-open"] : undefined;
}

/** The browser outlives the command. Without the program the link is there to be copied. */
function open([command, ...first]: readonly [string, ...string[]], url: string): void {
  const child = spawn(command, [...first, url], { detached: true, stdio: "ignore" });
  child.once("error", () => undefined);
  child.unref();
}
